import { flushCompileCache } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStore } from './open.ts'

// Adds one to the number under a key for ever, and prints it each time the store has answered.
const [, , kind, path, key = ''] = process.argv
const store = await openStore(kind, path)
// Its end is no occasion for it.
flushCompileCache()
for (;;) {
  const entry = await store.read(key)
  if (!entry) throw new Error('the entry is gone')
  const value = String(Number(entry.value) + 1)
  const result = await store.update(key, { ...entry, value }, entry.version)
  if (!result) throw new Error('the entry is gone')
  if ('version' in result) process.stdout.write(`${value}\n`)
  // New entries, too, and of a user, so that the process dies in the middle of these as well.
  const other = Math.random().toString(36).slice(2)
  await store.create(other, { value: '0', expiresAt: Date.now() + 60_000, userId: 'alice' })
  await store.delete(other)
  await sleep(0)
}
