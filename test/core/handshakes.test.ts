import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { SessionsOptions, UpgradeOptions, UpgradeRequest } from '../../src/index.ts'
import { Site, visitor } from './site.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

interface Handshake {
  options?: UpgradeOptions
  sessions?: SessionsOptions
  /** Whether the connection is encrypted. */
  secure?: boolean
  /** Whether the request is one of the Fetch standard. */
  url?: string
}

/** Whether a handshake with these headers, and the cookie that its browser would send, gets its session. */
async function opens(headers: Record<string, string>, handshake: Handshake = {}): Promise<boolean> {
  const { options, secure = false, url } = handshake
  const sessions = new Site(handshake.sessions).process()
  const isHttps = secure || url !== undefined || headers['x-forwarded-proto'] === 'https'
  const { cookie = '' } = await visitor(sessions)
  const name = isHttps && !cookie.startsWith('__Host-') ? '__Host-Http-sid' : cookie.split('=')[0]
  const sent = { ...headers, cookie: `${name}=${cookie.slice(cookie.indexOf('=') + 1)}` }
  const request: UpgradeRequest =
    url === undefined
      ? { url: '/socket', headers: { host: 'site.test', ...sent }, socket: { encrypted: secure } }
      : new Request(url, { headers: sent })
  const visit = await sessions.ofUpgrade(request, options)
  visit?.close()
  return visit !== undefined
}

describe('a socket', () => {
  it.each<[page: string, headers: Record<string, string>, handshake?: Handshake]>([
    ['the site itself', { origin: 'http://site.test' }],
    ['the site itself, by https', { origin: 'https://site.test' }, { secure: true }],
    ['the site behind a proxy that ends TLS', { origin: 'https://site.test' }],
    ['the site on a port', { origin: 'http://site.test:8080', host: 'site.test:8080' }],
    ['the site on its usual port, spelled out', { origin: 'https://site.test', host: 'Site.test:443' }],
    ['the site by HTTP/2', { origin: 'https://site.test', host: '', ':authority': 'site.test' }],
    [
      'the site, as a request of the Fetch standard',
      { origin: 'https://site.test' },
      { url: 'https://site.test/x' },
    ],
    ['the site, as the URL of a socket', { origin: 'https://site.test' }, { url: 'wss://site.test/x' }],
    ['a site whose proxy calls it otherwise', { origin: 'https://a.test', 'sec-fetch-site': 'same-origin' }],
    [
      'an origin that is listed',
      { origin: 'https://App.test' },
      { options: { origins: ['https://app.test'] } },
    ],
    [
      'a listed app that has no https',
      { origin: 'capacitor://localhost' },
      { options: { origins: ['capacitor://localhost'] } },
    ],
    ['no page: a program', {}],
    ['no page: an address typed in', { 'sec-fetch-site': 'none' }],
  ])('opened by %s has the session', async (_, headers, handshake) => {
    expect(await opens(headers, handshake)).toBe(true)
  })

  it.each<[page: string, headers: Record<string, string>, handshake?: Handshake]>([
    ['another site', { origin: 'https://evil.test' }],
    ['another site by Fetch', { origin: 'https://evil.test' }, { url: 'https://site.test/x' }],
    ['a sibling host', { origin: 'http://evil.site.test' }],
    ['a host that begins like it', { origin: 'http://site.test.evil.test' }],
    ['a host that ends like it', { origin: 'http://evil-site.test' }],
    ['another port', { origin: 'http://site.test:8080' }],
    ['plain http, where the site has https', { origin: 'http://site.test' }, { secure: true }],
    [
      'plain http, where the proxy has https',
      { origin: 'http://site.test', 'x-forwarded-proto': 'https' },
      { options: { trustProxy: true } },
    ],
    [
      'plain http, where the cookie is always Secure',
      { origin: 'http://site.test' },
      { sessions: { cookie: { secure: true } } },
    ],
    ['a sandboxed page', { origin: 'null' }],
    ['a file', { origin: 'file://' }],
    ['another site that hides its origin', { 'sec-fetch-site': 'cross-site' }],
    ['a sibling that hides its origin', { 'sec-fetch-site': 'same-site' }],
    ['two origins', { origin: 'http://site.test, http://evil.test' }],
    ['an origin with a user', { origin: 'http://site.test@evil.test' }],
    ['nobody in particular, to no host', { origin: 'http://site.test', host: '' }],
    [
      'a sibling of what is listed',
      { origin: 'https://evil.app.test' },
      { options: { origins: ['https://app.test'] } },
    ],
    [
      'what is listed, by plain http',
      { origin: 'http://app.test' },
      { options: { origins: ['https://app.test'] } },
    ],
  ])('opened by %s has none, and a developer hears why', async (_, headers, handshake) => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined)
    expect(await opens(headers, handshake)).toBe(false)
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('origins'))
  })

  it('in production is one of https, but on this machine, and nobody fills the log', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined)
    expect(await opens({ origin: 'https://site.test' })).toBe(true)
    expect(await opens({ origin: 'http://site.test' })).toBe(false)
    for (const host of ['localhost:3000', 'app.localhost', '127.0.0.1:3000', '[::1]:3000']) {
      expect(await opens({ origin: `http://${host}`, host })).toBe(true)
    }
    expect(warn).not.toHaveBeenCalled()
  })

  it('costs no call of the store when it is refused', async () => {
    vi.spyOn(console, 'warn').mockReturnValue(undefined)
    const site = new Site()
    const sessions = site.process()
    const { cookie } = await visitor(sessions)
    await sessions.ofUpgrade({ headers: { host: 'site.test', origin: 'https://evil.test', cookie } })
    expect(site.store.calls.read).toBe(0)
  })

  it('reads the cookie that fits the connection', async () => {
    const forwarded = { origin: 'https://site.test', 'x-forwarded-proto': 'https, http' }
    expect(
      await opens({ ...forwarded, 'x-forwarded-proto': 'https' }, { options: { trustProxy: true } }),
    ).toBe(true)
    // Whoever sends the header itself is not believed.
    expect(await opens({ ...forwarded, 'x-forwarded-proto': 'https' })).toBe(false)
  })
})

describe('the connection', () => {
  const fakeSocket = (destroyed = false) => {
    const listeners: (() => void)[] = []
    const once = (_event: string, listener: () => void): number => listeners.push(listener)
    return { socket: { destroyed, once }, close: () => listeners.map((listener) => listener()) }
  }

  async function timersAfter(upgrade: boolean, destroyed: boolean, close: boolean): Promise<number> {
    const sessions = new Site().process()
    const { cookie } = await visitor(sessions)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const connection = fakeSocket(destroyed)
    const request = {
      headers: { host: 'site.test', cookie, upgrade: 'websocket' },
      upgrade,
      socket: connection.socket,
    }
    await sessions.ofUpgrade(request)
    if (close) connection.close()
    return vi.getTimerCount()
  }

  it('that became a socket of Node stops the asking when it closes, or has closed', async () => {
    expect(await timersAfter(true, false, false)).toBe(1)
    expect(await timersAfter(true, false, true)).toBe(0)
    expect(await timersAfter(true, true, false)).toBe(0)
  })

  it('that only says so stops nothing: its socket may live on by others', async () => {
    expect(await timersAfter(false, false, true)).toBe(1)
  })
})

describe('misuse', () => {
  it.each<[options: unknown, message: string]>([
    [{ origin: ['https://a.test'] }, 'did you mean "origins"?'],
    [{ origins: 'https://a.test' }, '"origins" must be a list'],
    [{ origins: ['*'] }, '"origins" must be a list'],
    [{ origins: ['null'] }, '"origins" must be a list'],
    [{ origins: ['https://a.test/'] }, '"origins" must be a list'],
    [{ origins: [/a/] }, '"origins" must be a list'],
    [{ trustProxy: 1 }, '"trustProxy" must be one of true, false'],
    [{ checkInterval: 30 }, '"checkInterval" must be a duration'],
    [{ checkInterval: '25d' }, '"checkInterval" must be a duration of 24 days at most'],
  ])('%j is refused', async (options, message) => {
    const sessions = new Site().process()
    const request = { headers: { host: 'site.test' } }
    const refused = sessions.ofUpgrade(request, options as UpgradeOptions)
    await expect(refused).rejects.toThrow(TypeError)
    await expect(sessions.ofUpgrade(request, options as UpgradeOptions)).rejects.toThrow(message)
  })

  it('of what is no request is refused', async () => {
    await expect(new Site().process().ofUpgrade({} as UpgradeRequest)).rejects.toThrow(TypeError)
  })

  it('of a header called "get" is harmless', async () => {
    expect(await opens({ get: 'x', origin: 'http://site.test' })).toBe(true)
  })
})
