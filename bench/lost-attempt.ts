import { mkdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { MeetingSite } from './meeting-sites.ts'

/** What was left of what. */
export interface Attempt {
  keys: number
  counter: number
  aliveAfterLogout: boolean
  redirectSeesLogin: boolean
  savedRedirectSeesLogin: boolean
}

const REQUESTS = 100
const SLOW_WRITE = 300

export async function attempt(site: MeetingSite, folder: string): Promise<Attempt> {
  const quick = await Browser.open(site, await inside(folder, 'quick'), 0)
  const slow = await Browser.open(site, await inside(folder, 'slow'), SLOW_WRITE)
  try {
    await checkInTurn(quick)
    // Opens the connections, so that later requests do not come one by one.
    await parallel(
      quick,
      () => '/who',
      ([keys]) => keys,
    )
    return {
      keys: await parallel(
        quick,
        (i) => `/keys/${i}`,
        ([keys]) => keys,
      ),
      counter: await parallel(
        quick,
        () => '/count',
        ([, counter]) => counter,
      ),
      aliveAfterLogout: await overtakenLogout(quick),
      redirectSeesLogin: await loginRedirect(slow, '/sign-in'),
      savedRedirectSeesLogin: await loginRedirect(slow, '/sign-in-and-save'),
    }
  } finally {
    await quick.close()
    await slow.close()
  }
}

async function inside(folder: string, name: string): Promise<string> {
  await mkdir(join(folder, name))
  return join(folder, name)
}

/** How many of the parallel requests are found in the session afterwards. */
async function parallel(
  browser: Browser,
  path: (i: number) => string,
  found: (shown: string[]) => string | undefined,
): Promise<number> {
  await browser.begin()
  await Promise.all(Array.from({ length: REQUESTS }, (_, i) => browser.get(path(i))))
  return Number(found((await browser.get('/show')).split(' ')))
}

/** The same, one after the other: nothing may be lost there, or the site itself is wrong. */
async function checkInTurn(browser: Browser): Promise<void> {
  await browser.begin()
  for (const path of ['/keys/1', '/keys/2', '/count', '/count']) await browser.get(path)
  const shown = await browser.get('/show')
  if (shown !== '2 2') throw new Error(`After two keys and two counts, one after the other: ${shown}`)
}

/** The session ends while a request that has loaded it is still at work; then comes a copy of the cookie. */
async function overtakenLogout(browser: Browser): Promise<boolean> {
  await browser.begin()
  const copied = browser.cookie
  if ((await browser.get('/alive')) !== 'yes') throw new Error('The session did not begin')
  const late = browser.get('/slow')
  await wait(20)
  await browser.get('/sign-out')
  await late
  browser.cookie = copied
  return (await browser.get('/alive')) === 'yes'
}

/** Follows as a browser does: when the head of the answer is there, whatever comes of its body. */
async function loginRedirect(browser: Browser, path: string): Promise<boolean> {
  browser.cookie = ''
  const response = await browser.ask(path)
  const target = response.headers.get('location') ?? 'no redirect'
  const seen = await browser.get(target)
  await response.text()
  return seen === 'ada'
}

/** A server and its one visitor, who keeps one cookie. */
class Browser {
  cookie = ''
  readonly #server: Server
  readonly #url: string

  private constructor(server: Server, url: string) {
    this.#server = server
    this.#url = url
  }

  static async open(site: MeetingSite, folder: string, delay: number): Promise<Browser> {
    const server = createServer(site.open(folder, delay))
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    return new Browser(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  }

  async ask(path: string): Promise<Response> {
    const response = await fetch(this.#url + path, { headers: { cookie: this.cookie }, redirect: 'manual' })
    if (response.status >= 400)
      throw new Error(`${path} answers ${response.status}: ${await response.text()}`)
    const [cookie] = response.headers.getSetCookie().map((line) => line.split(';')[0])
    if (cookie !== undefined) this.cookie = cookie
    return response
  }

  async get(path: string): Promise<string> {
    return (await this.ask(path)).text()
  }

  /** Begins a session of its own. */
  async begin(): Promise<void> {
    this.cookie = ''
    await this.get('/begin')
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.close((error) => (error ? reject(error) : resolve()))
      this.#server.closeAllConnections()
    })
  }
}
