import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { expressSession } from '../../src/adapters/express.ts'
import { createSessions } from '../../src/index.ts'
import type { CloseableStore, Store } from '../../src/store.ts'
import { openStoreUrl } from '../../src/stores/from-url.ts'
import { bytesUnder, spelledBy } from '../promises/workers.ts'
import { BACKENDS, type RunningBackend } from '../servers/backends.ts'
import { describeWith } from '../servers/program.ts'
import { folderOfTest } from './temporary.ts'

/** What visitors tell the site and nobody else. Long, so that it is worth compressing, as some backends may. */
const SECRETS = ['my dog is called Fido', 'allergic to penicillin', `${'tell nobody '.repeat(100)}at all`]

for (const { scheme, programs, start } of BACKENDS) {
  describeWith(programs, `a thief of everything on ${scheme}://`, () => {
    let backend: RunningBackend
    beforeAll(async () => {
      backend = await start()
    })
    afterAll(() => backend?.stop())
    describeThief(
      () => openStoreUrl(backend.url),
      () => backend.dump(),
    )
  })
}

describe.each([
  ['sqlite:sessions.db', spelledBy],
  ['file:sessions', (key: string) => key],
])('a thief of everything in %s', (form, kept) => {
  let folder: string
  describeThief(
    () => {
      folder = folderOfTest()
      const [scheme, name = ''] = form.split(':')
      return openStoreUrl(`${scheme}:${join(folder, name)}`)
    },
    // Among the files of SQLite is the log of what was written, with what was overwritten since.
    async () => bytesUnder(folder),
    kept,
  )
})

/** @param kept how a key stands in the dump */
function describeThief(
  open: () => Promise<Store>,
  dump: () => Promise<string>,
  kept = (key: string) => key,
): void {
  it('gets no cookie that any visitor ever had', async () => {
    const ids = await runSite(await open(), false)
    const stolen = await dump()
    expect(ids.length).toBeGreaterThan(10)
    for (const id of ids) {
      const [key = '', secret = ''] = id.split('.')
      expect(secret).toHaveLength(32)
      expect(stolen).toContain(kept(key))
      for (const form of [secret, spelledBy(secret)]) expect(stolen).not.toContain(form)
    }
    // It is a dump of what visitors told the site.
    expect(stolen).toContain('my dog is called Fido')
  })

  it('gets nothing at all of what visitors told the site, where it is sealed', async () => {
    const ids = await runSite(await open(), true)
    const stolen = await dump()
    for (const id of ids) {
      const [key = '', secret = ''] = id.split('.')
      expect(stolen).toContain(kept(key))
      for (const form of [secret, spelledBy(secret)]) expect(stolen).not.toContain(form)
    }
    for (const told of SECRETS) expect(stolen).not.toContain(`sealed: ${told}`)
  })
}

/** Visits, sign-ins and new ids of some visitors on a real site. Answers every id that one of them ever had. */
async function runSite(store: Store, sealed: boolean): Promise<string[]> {
  const sessions = createSessions<Record<string, unknown>>({ store, sealed })
  const app = express()
  app.use(expressSession(sessions))
  app.get('/tell/:i', async (req, res) => {
    const session = await sessions.of(req)
    const told = SECRETS[Number(req.params.i)]
    session
      .set(`told ${req.params.i}`, sealed ? `sealed: ${told}` : told)
      .update('visits', (n = 0) => Number(n) + 1)
    session.flash('thanks', sealed ? `sealed: ${told}` : told)
    res.end()
  })
  app.get('/sign-in', async (req, res) => {
    const session = await sessions.of(req)
    session.login('ada')
    res.end()
  })
  app.get('/new-id', async (req, res) => {
    const session = await sessions.of(req)
    session.regenerateId()
    res.end()
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    if ('close' in store) await (store as CloseableStore).close()
  })
  const visitors = Array.from({ length: 4 }, () => visitor(origin))
  return (await Promise.all(visitors)).flat()
}

async function visitor(origin: string): Promise<string[]> {
  const ids: string[] = []
  let cookie = ''
  for (const path of ['/tell/0', '/sign-in', '/tell/1', '/new-id', '/tell/2', '/new-id', '/tell/0']) {
    const response = await fetch(origin + path, { headers: { cookie } })
    expect(response.status).toBe(200)
    for (const header of response.headers.getSetCookie()) {
      cookie = header.slice(0, header.indexOf(';'))
      ids.push(cookie.slice(cookie.indexOf('=') + 1))
    }
  }
  return ids
}
