import assert from 'node:assert/strict'
import type { Store } from '../store.ts'

/** The environment variable that tells a worker what to do. */
export const JOB = 'SOJOURN_STORE_CONTRACT_JOB'
/** What a worker prints when it has done its job. */
export const DONE = 'store contract: done'

export interface Job {
  kind: 'increment' | 'idle'
  key: string
  times: number
}

/**
 * Does in a process of its own what the store contract asks of it. A worker program opens its store, calls this, and
 * neither closes the store nor ends the process: that it ends all the same is one of the things that are tried.
 */
export async function storeContractWorker(store: Store): Promise<void> {
  const { kind, key, times } = JSON.parse(process.env[JOB] ?? 'null') as Job
  if (kind === 'idle')
    await store.create(key, { value: '0', expiresAt: Date.now() + 3_600_000, userId: 'idle' })
  await increment(store, key, times)
  process.stdout.write(`${DONE}\n`)
}

/** Adds one to the number under a key, again and again, as careful callers do. */
export async function increment(store: Store, key: string, times: number): Promise<void> {
  let entry = await store.read(key)
  for (let done = 0; done < times; ) {
    assert(entry, 'the entry is gone')
    const next = { value: String(Number(entry.value) + 1), expiresAt: entry.expiresAt, userId: entry.userId }
    const result = await store.update(key, next, entry.version)
    assert(result, 'the entry is gone')
    if ('version' in result) done++
    entry = 'version' in result ? { ...next, version: result.version } : result.current
  }
}
