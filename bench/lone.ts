/*
 * node bench/lone.ts: how long one request takes that nobody else is beside, on servers that answer at once and at the end of the
 * turn of the event loop. One connection, the next request when the last one is answered.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child, pin } from './child.ts'
import { show, spread, table } from './statistics.ts'

const SERVERS = ['node/bare', 'node/bare-turn', 'express/bare', 'express/bare-turn']
const ROUNDS = 9
const REQUESTS = 10_000
const SERVER_CORE = 0
const LOAD_CORE = 1

const folder = await mkdtemp(join(tmpdir(), 'lone-'))
pin(process.pid, LOAD_CORE)
const servers = await Promise.all(
  SERVERS.map(async (name) => ({
    name,
    ...(await serve(name)),
    middle: [] as number[],
    late: [] as number[],
  })),
)
for (const { socket } of servers) await times(socket)
for (let round = 0; round < ROUNDS; round++) {
  for (const { socket, middle, late } of servers) {
    const sorted = (await times(socket)).toSorted((a, b) => a - b)
    middle.push(sorted[REQUESTS >> 1] ?? Number.NaN)
    late.push(sorted[Math.floor(REQUESTS * 0.99)] ?? Number.NaN)
  }
}
const rows = servers.map(({ name, middle, late }) => [name, show(spread(middle), 1), show(spread(late), 0)])
console.log(table(['one request alone, µs', 'median', '99 % within'], rows, 'right'))
for (const { child, socket } of servers) {
  socket.destroy()
  await child.stop()
}
await rm(folder, { recursive: true })

async function serve(name: string) {
  const { child, greeting } = await Child.start<'cpu', number>('server.ts', [name, folder, ''], SERVER_CORE)
  const socket = connect(Number(greeting), '127.0.0.1').setNoDelay()
  return { child, socket }
}

/** Microseconds of each of some requests. */
async function times(socket: Socket): Promise<number[]> {
  const all: number[] = []
  for (let i = 0; i < REQUESTS; i++) {
    const start = performance.now()
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    // Head and body are one packet, being small.
    await new Promise((resolve) => socket.once('data', resolve))
    all.push((performance.now() - start) * 1000)
  }
  return all
}
