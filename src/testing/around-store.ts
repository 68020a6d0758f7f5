import type { Store } from '../store.ts'

/** The verbs of a store. */
export type StoreVerb = 'read' | 'create' | 'update' | 'delete'

/** Runs in place of a call of the store, which it makes when it wants to. */
export type Around = <T>(verb: StoreVerb, call: () => Promise<T>) => Promise<T>

/** The four verbs of a store with something around each call. */
export function aroundStore(store: Store, around: Around): Store {
  return {
    read: (key) => around('read', () => store.read(key)),
    create: (key, entry) => around('create', () => store.create(key, entry)),
    update: (key, entry, version) => around('update', () => store.update(key, entry, version)),
    delete: (key) => around('delete', () => store.delete(key)),
  }
}
