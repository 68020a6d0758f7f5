import type { Bench } from '../../bench'

/** For the test: how often the store was called, and what it is to do from now on. */
export async function POST(request: Request) {
  const { bench } = globalThis as unknown as { bench: Bench }
  const { ahead = bench.ahead, failing } = await request.json()
  const { calls, total } = bench.store
  const seen = { ...calls, total }
  bench.ahead = ahead
  if (failing !== undefined) bench.failing.failWhen(() => failing)
  bench.store.reset()
  return Response.json(seen)
}
