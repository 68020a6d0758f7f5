import type { Awaitable } from './awaitable.ts'
import type { Entry, Store, StoredEntry, UpdateResult, Version } from './store.ts'

/** The verbs of a store that a request waits for. */
export interface Verbs {
  read(key: string): Awaitable<StoredEntry | undefined>
  create(key: string, entry: Entry): Awaitable<Version | undefined>
  update(key: string, entry: Entry, version: Version): Awaitable<UpdateResult | undefined>
}

/** Verbs that are done when they return. One that throws has done nothing, and is called again the patient way. */
export interface VerbsAtOnce {
  /** What it answers may be what the store keeps: it is looked at before anything else happens, and not changed. */
  read?(key: string): StoredEntry | undefined
  create?(key: string, entry: Entry): Version | undefined
  update?(key: string, entry: Entry, version: Version): UpdateResult | undefined
}

/**
 * Where a store that lives in this process has verbs that need not wait. Not for applications: their stores promise, and
 * each promise costs a request its share.
 */
export const AT_ONCE: unique symbol = Symbol('sojourn at once')

/** A store with such verbs; with none while somebody has put other methods in the place of its own. */
export interface StoreAtOnce extends Store {
  readonly [AT_ONCE]: VerbsAtOnce | undefined
}

/** The verbs of a store: those that are done at once where it has them, else those that it promises. */
export function verbsOf(store: Store, patient: Verbs): Verbs {
  const { read, create, update } = (store as Partial<StoreAtOnce>)[AT_ONCE] ?? {}
  return {
    read: atOnceOr(read, patient.read),
    create: atOnceOr(create, patient.create),
    update: atOnceOr(update, patient.update),
  }
}

/** What fails at once fails again, and then as it has to: told to observers, or after a wait for a lock. */
function atOnceOr<Verb extends (key: string, entry: Entry, version: Version) => unknown>(
  atOnce: ((...asked: Parameters<Verb>) => unknown) | undefined,
  patient: Verb,
): Verb {
  if (!atOnce) return patient
  const verb: Verb = atOnce as Verb
  // By name, not by `...`, which makes a list for each call.
  return ((key, entry, version) => {
    try {
      return verb(key, entry, version)
    } catch {
      return patient(key, entry, version)
    }
  }) as Verb
}
