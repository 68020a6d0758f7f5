import { openStore } from './open.ts'

// Opens a store, reads and creates, and prints how each of these went.
const [, , kind, path, key = ''] = process.argv
const report: Record<string, string> = {}

async function attempt(what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    report[what] = JSON.stringify(await work()) ?? 'undefined'
  } catch (error) {
    report[what] = `failed: ${(error as Error).message}`
  }
}

await attempt('open', async () => {
  const store = await openStore(kind, path)
  await attempt('read', async () => (await store.read(key))?.value)
  await attempt('create', () =>
    store.create('new', { value: 'new', expiresAt: Date.now() + 60_000, userId: undefined }),
  )
  return 'opened'
})
console.log(JSON.stringify(report))
