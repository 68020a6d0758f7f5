import { type Duration, milliseconds } from '../duration.ts'
import type { CloseableStore } from '../store.ts'
import { natsStore } from './nats.ts'
import { patiently } from './nats-patience.ts'
import { parseServersUrl } from './server-url.ts'

const FORM =
  'nats://<user>:<password>@<host>:<port>,<host>:<port>?bucket=<name>&replicas=<number>&ttl=<duration>'

/**
 * Opens the store of `nats://a:4222,b:4222,c:4222?bucket=sessions`. A bucket that is missing is made: on three servers
 * when the URL names as many (or on so many as `replicas` says), and to keep for 31 days (or `ttl`) what nobody writes.
 * @param create whether a bucket that is missing is made; otherwise that is an error
 * @throws TypeError when the URL has another form; Error when the packages are missing or no server answers.
 */
export async function openNatsUrl(
  url: string,
  { create = true }: { create?: boolean } = {},
): Promise<CloseableStore> {
  const { hosts, username, password, options } = parseServersUrl(url, FORM, [
    'bucket',
    'replicas',
    'ttl',
    'tls',
  ])
  const {
    bucket = 'sessions',
    replicas = hosts.length >= 3 ? '3' : '1',
    ttl = '31d',
    tls = 'false',
  } = options
  if (!/^[\w-]+$/.test(bucket)) throw new TypeError('"bucket" may be of letters, digits, "-" and "_"')
  if (!/^[135]$/.test(replicas)) throw new TypeError('"replicas" must be 1, 3 or 5')
  if (!/^(true|false)$/.test(tls)) throw new TypeError('"tls" must be true or false')
  const keep = milliseconds(ttl as Duration, 'ttl')
  const { connect, Kvm } = await load()
  const connecting = connect({
    servers: [...hosts],
    // The default gives up after ten attempts, for good.
    maxReconnectAttempts: -1,
    // A server that has frozen is left after some seconds; by default it takes minutes.
    pingInterval: 5000,
    // And not waited for when it is tried again: it takes connections, but does not greet. The default is 20 seconds.
    timeout: 5000,
    ...(tls === 'true' && { tls: {} }),
    ...(username !== undefined && password === undefined && { token: username }),
    ...(username !== undefined && password !== undefined && { user: username, pass: password }),
  })
  const connection = await connecting.catch((cause) => {
    throw new Error(`NATS cannot be reached: ${cause.message}`, { cause })
  })
  try {
    const kvm = new Kvm(connection)
    if (!create) await expectBucket(kvm, bucket)
    const settings = { replicas: Number(replicas), ttl: keep, allow_direct: false }
    // Servers that have just started have no leader yet.
    const kv = await patiently('open the bucket', 10_000, () => kvm.create(bucket, { ...settings }))
    return Object.assign(natsStore(kv), { close: () => connection.close() })
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** @throws Error when there is none. */
async function expectBucket(kvm: { list(): AsyncIterable<{ bucket: string }> }, name: string): Promise<void> {
  for await (const { bucket } of kvm.list()) if (bucket === name) return
  throw new Error(`There is no bucket "${name}"`)
}

async function load() {
  try {
    const [{ connect }, { Kvm }] = await Promise.all([
      import('@nats-io/transport-node'),
      import('@nats-io/kv'),
    ])
    return { connect, Kvm }
  } catch (cause) {
    throw new Error('A "nats:" URL needs packages: npm install @nats-io/transport-node @nats-io/kv', {
      cause,
    })
  }
}
