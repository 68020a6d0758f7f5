/*
 * An application process whose sessions are on a cluster: node cluster-visits.ts <client> <its target as JSON>. Does what it is asked
 * to, 64 requests at a time, and answers what it took.
 */
import { randomBytes } from 'node:crypto'
import { createSessions } from 'sojourn'
import { type RedisClient, redisStore } from 'sojourn/redis'
import { CLIENTS } from '../test/stores/redis-clients.ts'

/** What a process is asked to do, once for each of the cookies; `begin` has none yet, and gets them. */
export interface Task {
  what: 'begin' | 'visit' | 'read'
  cookies: string[]
}

export interface Done {
  seconds: number
  /** What the store has asked the client for. */
  commands: number
  /** What the sessions that were read had counted. */
  visits: number
  /** Of the sessions that were begun. */
  cookies: string[]
}

interface Data {
  visits: number
  cart: string
}

const AT_ONCE = 64
/** As in `npm run bench -- bytes`: 280 characters as JSON. */
const cart = (): string => randomBytes(130).toString('hex')

const [name = '', target = ''] = process.argv.slice(2)
const open = CLIENTS[name]
if (!open) throw new Error(`No client is named ${name}`)
const { client } = await open(JSON.parse(target))
let commands = 0
const sessions = createSessions<Data>({ store: redisStore(counted(client)), storeTimeout: '100s' })

/** The client, which counts what it is asked to send. */
function counted<Client extends RedisClient>(client: Client): Client {
  return new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (['sendCommand', 'call', 'customCommand'].includes(String(name))) commands++
        return value.apply(target, args)
      }
    },
  })
}

const REQUESTS: Record<Task['what'], (cookie: string, done: Done) => Promise<void>> = {
  async begin(_cookie, done) {
    const request = sessions.open({ cookie: undefined, secure: true })
    const session = await request.session()
    session.set('visits', 0).set('cart', cart())
    await request.commit()
    done.cookies.push(String(request.outcome.setCookies[0]).split(';')[0] ?? '')
  },
  async visit(cookie) {
    const request = sessions.open({ cookie, secure: true })
    const session = await request.session()
    session.update('visits', (n = 0) => n + 1)
    await request.commit()
  },
  async read(cookie, done) {
    const session = await sessions.open({ cookie, secure: true }).session()
    done.visits += session.get('visits') ?? Number.NaN
  },
}

process.on('message', async ({ what, cookies }: Task) => {
  const done: Done = { seconds: 0, commands: -commands, visits: 0, cookies: [] }
  const start = performance.now()
  let next = 0
  const work = async () => {
    while (next < cookies.length) await REQUESTS[what](cookies[next++] ?? '', done)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  done.seconds = (performance.now() - start) / 1000
  done.commands += commands
  process.send?.(done)
})
process.on('disconnect', () => {
  process.exit()
})
process.send?.('ready')
