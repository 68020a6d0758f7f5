/* What the types promise. Compiled, never run: see `sessions.ts`. */
import type { CloseableStore, PurgeableStore, Store, UserIndexedStore } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { tieredStore } from '../../src/stores/tiered.ts'

declare const bare: Store
declare const indexed: UserIndexedStore
declare const purgeable: PurgeableStore
declare const closeable: CloseableStore

const all = tieredStore({ cache: bare, store: memoryStore() })
void all.ofUser('alice')
void all.purge(10)
void all.close()

void tieredStore({ cache: bare, store: indexed }).ofUser('alice')
void tieredStore({ cache: bare, store: purgeable }).purge(10)
void tieredStore({ cache: closeable, store: bare }).close()

const none = tieredStore({ cache: indexed, store: bare })
// @ts-expect-error: lists are the durable store's business, and it keeps none
void none.ofUser('alice')
// @ts-expect-error: it has nothing to purge
void none.purge(10)
// @ts-expect-error: neither of the two can be closed
void none.close()
// @ts-expect-error: a duration has a unit
void tieredStore({ cache: bare, store: bare, maxStale: 60 })
