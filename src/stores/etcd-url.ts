import type { CloseableStore } from '../store.ts'
import { etcdStore } from './etcd.ts'
import { parseServersUrl } from './server-url.ts'

const FORM = 'etcd://<user>:<password>@<host>:<port>,<host>:<port>?prefix=<prefix>'
const PORT = ':2379'

/**
 * Opens the store of `etcd://a:2379,b:2379,c:2379?prefix=sojourn/`; with `etcds:` by https. Nothing has to be installed.
 * @throws TypeError when the URL has another form.
 */
export async function openEtcdUrl(url: string): Promise<CloseableStore> {
  const { hosts, username, password, options } = parseServersUrl(url, FORM, ['prefix'])
  const scheme = /^etcds:/i.test(url) ? 'https' : 'http'
  const endpoints = hosts.map((host) => `${scheme}://${host}${/:\d+$/.test(host) ? '' : PORT}`)
  const store = etcdStore(endpoints, {
    ...(options.prefix !== undefined && { prefix: options.prefix }),
    ...(username !== undefined && { username, password: password ?? '' }),
  })
  // There is nothing to close: connections that nobody uses end by themselves, and hold no process.
  return Object.assign(store, { close: async () => undefined })
}
