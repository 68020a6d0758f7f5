import type { CloseableStore, Store } from '../../src/store.ts'
import { openStoreUrl } from '../../src/stores/from-url.ts'

/** How a process of its own opens a store: by its URL, or by a module that exports an {@link OpenStore}. */
export type StoreSource = { url: string } | { module: string; args?: readonly string[] }

/** What a module exports as `openStore`: the store; with what closes its client, where the store itself does not. */
export type OpenStore = (...args: string[]) => OpenedStore | Store | Promise<OpenedStore | Store>

/** A store and what ends all that was opened for it, so that the process can end. */
export interface OpenedStore {
  store: Store
  close(): Promise<unknown>
}

export async function open(source: StoreSource): Promise<OpenedStore> {
  if ('url' in source) return closing(await openStoreUrl(source.url))
  const { openStore } = (await import(source.module)) as { openStore: OpenStore }
  const opened = await openStore(...(source.args ?? []))
  return 'store' in opened ? opened : closing(opened)
}

function closing(store: Store): OpenedStore {
  return { store, close: async () => 'close' in store && (await (store as CloseableStore).close()) }
}
