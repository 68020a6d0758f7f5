import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { folderOfTest } from '../stores/temporary.ts'
import { bytesUnder, Server, STORES, spelledBy } from './workers.ts'

const KILLS = 20
const CLIENTS = 6

/** What the clients of the site know. */
class Clients {
  cookie = ''
  readonly cookies: string[] = []
  sent = 0
  answered = 0
  readonly last = new Map<string, number>()

  async get(server: Server, path: string): Promise<Response> {
    const response = await fetch(server.origin + path, { headers: { cookie: this.cookie } })
    for (const header of response.headers.getSetCookie()) {
      this.cookie = header.slice(0, header.indexOf(';'))
      this.cookies.push(this.cookie)
    }
    return response
  }

  /** Each client sends one request after the other, until the server no longer answers. */
  async load(server: Server): Promise<void> {
    await Promise.all(Array.from({ length: CLIENTS }, (_, i) => this.#send(server, `client${i}`)))
  }

  async #send(server: Server, client: string): Promise<void> {
    for (let open = true; open; ) {
      const number = ++this.sent
      open = await this.get(server, `/add/${client}/${number}`).then(
        (response) => {
          expect(response.status).toBe(200)
          this.answered++
          this.last.set(client, number)
          return true
        },
        () => false,
      )
    }
  }
}

describe.each(STORES)('a server that is killed twenty times under load, store: $kind', ({ kind, name }) => {
  it('still has every change it has answered, and no file holds what opens a session', async () => {
    const folder = folderOfTest()
    const args = [kind, join(folder, name)]
    const clients = new Clients()
    let server = await Server.start(args)
    await clients.get(server, '/login')
    for (let kills = 0; kills < KILLS; kills++) {
      const before = clients.answered
      const load = clients.load(server)
      while (clients.answered < before + CLIENTS) await sleep(2)
      await sleep(Math.random() * 30)
      await server.kill()
      await load
      server = await Server.start(args)
      const { n, ...last } = (await (await clients.get(server, '/show')).json()) as Record<string, number>
      expect(n).toBeGreaterThanOrEqual(clients.answered)
      expect(n).toBeLessThanOrEqual(clients.sent)
      for (const [client, number] of clients.last) expect(last[client]).toBeGreaterThanOrEqual(number)
      // Now and then somebody signs in anew, so that there are old ids too.
      if (kills % 5 === 0) await clients.get(server, '/login')
    }
    await server.kill()
    expectNoOpener(bytesUnder(folder), clients.cookies)
  })
})

function expectNoOpener(stolen: string, cookies: readonly string[]): void {
  expect(stolen).toContain('client0')
  expect(cookies.length).toBeGreaterThan(4)
  for (const cookie of cookies) {
    const [, id = ''] = cookie.split('=')
    const [key = '', secret = ''] = id.split('.')
    expect([key, spelledBy(key)].filter((form) => stolen.includes(form))).toHaveLength(1)
    for (const form of [secret, spelledBy(secret)]) expect(stolen).not.toContain(form)
  }
}
