import { setTimeout as wait } from 'node:timers/promises'

/** What was left of what. */
export interface Attempt {
  /** How many of 100 keys. */
  keys: number
  /** What the counter came to in 100 requests that add one. */
  counter: number
}

/** What became of a visitor's way through the site. */
export interface Ways {
  aliveAfterLogout: boolean
  redirectSeesLogin: boolean
  savedRedirectSeesLogin: boolean
}

const REQUESTS = 100

/** Checks that nothing is wrong with the site itself: what comes one after the other must not be lost. */
export async function checkInTurn(origins: readonly string[]): Promise<void> {
  const browser = new Browser(origins)
  await browser.begin()
  for (const path of ['/keys/1', '/keys/2', '/count', '/count']) await browser.get(path)
  const shown = await browser.get('/show')
  if (shown !== '2 2') throw new Error(`After two keys and two counts, one after the other: ${shown}`)
  // Opens the connections, so that later requests do not come one by one.
  await Promise.all(Array.from({ length: REQUESTS }, () => browser.get('/who')))
}

export async function attempt(origins: readonly string[]): Promise<Attempt> {
  return {
    keys: await parallel(
      origins,
      (i) => `/keys/${i}`,
      ([keys]) => keys,
    ),
    counter: await parallel(
      origins,
      () => '/count',
      ([, counter]) => counter,
    ),
  }
}

/** @param slow where each write of the store takes long */
export async function ways(quick: string, slow: string): Promise<Ways> {
  return {
    aliveAfterLogout: await overtakenLogout(new Browser([quick])),
    redirectSeesLogin: await loginRedirect(new Browser([slow]), '/sign-in'),
    savedRedirectSeesLogin: await loginRedirect(new Browser([slow]), '/sign-in-and-save'),
  }
}

/** How many of the parallel requests are found in the session afterwards. */
async function parallel(
  origins: readonly string[],
  path: (i: number) => string,
  found: (shown: string[]) => string | undefined,
): Promise<number> {
  const browser = new Browser(origins)
  await browser.begin()
  await Promise.all(Array.from({ length: REQUESTS }, (_, i) => browser.get(path(i))))
  return Number(found((await browser.get('/show')).split(' ')))
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

/** A visitor, who keeps one cookie, of a site that one or more processes serve in turn. */
class Browser {
  cookie = ''
  readonly #origins: readonly string[]
  #turn = 0

  constructor(origins: readonly string[]) {
    this.#origins = origins
  }

  async ask(path: string): Promise<Response> {
    const origin = this.#origins[this.#turn++ % this.#origins.length]
    const response = await fetch(origin + path, { headers: { cookie: this.cookie }, redirect: 'manual' })
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
}
