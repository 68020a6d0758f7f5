import { env } from 'cloudflare:workers'
import { withSession } from '../../../src/adapters/fetch.ts'
import { createSessions } from '../../../src/index.ts'
import { type D1Client, d1Store } from '../../../src/stores/d1.ts'

// A Worker as the documentation has it: without modules of Node, and its sessions made when it is loaded, where Cloudflare
// allows neither timers nor random numbers.

const { DB } = env as { DB: D1Client }
const store = d1Store(DB)
const sessions = createSessions<{ visits: number }>({ store, storeTimeout: '10m' })

/** How many writes the store was asked for, and which of them wait: each in what its request has begun. */
let writes = 0
const held = new Set<number>()
const update = store.update.bind(store)
store.update = async (...args) => {
  const write = ++writes
  await until(() => !held.has(write))
  return update(...args)
}

/** How many visits are counted, and go on to be saved. */
let handled = 0

/** Lets requests meet: each waits until so many are here, or came before. */
let here = 0
function meet(size: number): Promise<void> {
  here++
  return until(() => here >= size)
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5))
}

const handler = withSession(sessions, async (request: Request, ..._context: unknown[]) => {
  const { pathname, searchParams } = new URL(request.url)
  if (pathname === '/hold') for (const more of [1, 2]) held.add(writes + more)
  if (pathname === '/release') held.delete(Math.min(...held))
  if (['/hold', '/release', '/state'].includes(pathname)) return Response.json({ writes, handled })
  const session = await sessions.of(request)
  if (pathname === '/read') return new Response(String(session.get('visits', 0)))
  if (searchParams.has('meet')) await meet(Number(searchParams.get('meet')))
  handled++
  return new Response(String(session.update('visits', (n = 0) => n + 1)))
})

export const Counter = { fetch: handler }

/** One whose answers end with their clients. */
export const Alone = { fetch: (request: Request) => handler(request) }
