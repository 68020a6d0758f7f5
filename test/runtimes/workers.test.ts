import { mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Browser } from '../../src/testing/browser.ts'
import { bundleWorker } from './bundle.ts'
import { describeOn } from './describe-on.ts'
import { module, WORKERD } from './workerd.ts'

// What a Worker of the documentation does, seen from outside: in two isolates, as two of Cloudflare's machines have, on one
// database.

const folder = fileURLToPath(new URL('dist/', import.meta.url))
const NAMES = ['one', 'two']

describeOn(WORKERD, () => {
  let miniflare: Miniflare

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true })
    const file = `${folder}counter-${process.pid}.mjs`
    await bundleWorker('program/counter.ts', file)
    const unsafeDirectSockets = ['Counter', 'Alone'].map((entrypoint) => ({ entrypoint, port: 0 }))
    miniflare = new Miniflare({
      workers: NAMES.map((name) => ({ ...module(name, file), unsafeDirectSockets })),
    })
    rmSync(file)
    await miniflare.ready
  })
  // It would keep the process alive.
  afterAll(() => miniflare?.dispose())

  async function originOf(worker: string, entrypoint = 'Counter'): Promise<string> {
    const { port } = await miniflare.unsafeGetDirectURL(worker, entrypoint)
    return `http://localhost:${port}`
  }

  it('a Worker without modules of Node, whose sessions are made as it is loaded, counts visits', async () => {
    const origin = await originOf('one')
    const ann = new Browser(origin)
    for (const visits of ['1', '2', '3']) expect((await ann.get('/')).body).toBe(visits)
    expect((await new Browser(origin).get('/')).body).toBe('1')
  })

  it('100 visits of one session at once, spread over two isolates, all count', async () => {
    const origins = await Promise.all(NAMES.map((name) => originOf(name)))
    const ann = new Browser(origins[0] ?? '')
    await ann.get('/')
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => {
        const elsewhere = new Browser(origins[i % 2] ?? '')
        elsewhere.keep([ann.cookie])
        // Those of one isolate have all loaded the session before one of them goes on.
        return elsewhere.get('/?meet=50')
      }),
    )
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect((await ann.get('/read')).body).toBe('101')
  })

  it('a commit whose request ended as it wrote for others is written by one of them, once', async () => {
    const origin = await originOf('one', 'Alone')
    const ann = new Browser(origin)
    await ann.get('/')
    const ask = async (path: string) => (await new Browser(origin).get(path)).body
    const state = async (): Promise<{ writes: number; handled: number }> => JSON.parse(await ask('/state'))
    const { writes, handled } = await state()
    const isAt = (more: { writes: number; handled: number }) =>
      expect.poll(state).toEqual({ writes: writes + more.writes, handled: handled + more.handled })
    const visit = async (signal: AbortSignal | null = null) =>
      (await fetch(origin, { signal, headers: { Cookie: ann.cookie } })).status

    await ask('/hold')
    const first = visit()
    await isAt({ writes: 1, handled: 1 })
    // The next one to write is the first of those that wait.
    const leaving = new AbortController()
    const left = visit(leaving.signal).catch(() => 'left')
    await isAt({ writes: 1, handled: 2 })
    const others = [visit(), visit(), visit()]
    await isAt({ writes: 1, handled: 5 })
    await ask('/release')
    expect(await first).toBe(200)
    await isAt({ writes: 2, handled: 5 })
    leaving.abort()
    expect(await left).toBe('left')
    // Once they have waited for as long as they wait for anybody.
    expect(await Promise.all(others)).toEqual([200, 200, 200])
    expect((await ann.get('/read')).body).toBe('6')
  })
})
