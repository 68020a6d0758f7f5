import { randomBytes } from 'node:crypto'
import type session from 'express-session'
import { type CloseableStore, createSessions, type Store } from 'sojourn'
import { openStoreUrl } from 'sojourn/from-url'
import type { By } from './copies.ts'
import { peerOf } from './peer-stores.ts'
import type { Kind } from './places.ts'

/** Makes sessions, each with data of its own. */
export interface Maker {
  make(count: number): Promise<void>
  close(): Promise<void>
}

/** How many characters the data of each is, as JSON. */
export const SESSION = 280

const data = () => ({ cart: randomBytes(132).toString('hex'), n: 1 })

/** So many are made at the same time. */
const AT_ONCE = 200

/** Opens a store, and makes sessions in it as a site does. */
export async function makerOf(kind: Kind, url: string, by: By): Promise<Maker> {
  const { one, close } = by === 'sojourn' ? await ours(url) : await theirs(kind, url)
  async function make(count: number): Promise<void> {
    for (let made = 0; made < count; made += AT_ONCE) {
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - made) }, one))
    }
  }
  return { make, close }
}

interface Opened {
  one(): Promise<void>
  close(): Promise<void>
}

async function ours(url: string): Promise<Opened> {
  const store: Store & Partial<CloseableStore> = await openStoreUrl(url)
  const sessions = createSessions({ store, storeTimeout: '100s' })
  async function one(): Promise<void> {
    const visit = sessions.open({ cookie: undefined, secure: true })
    const session = await visit.session()
    for (const [key, value] of Object.entries(data())) session.set(key, value)
    await visit.commit()
  }
  return { one, close: async () => store.close?.() }
}

const LIFETIME = 14 * 86_400_000

async function theirs(kind: Kind, url: string): Promise<Opened> {
  const store = await peerOf(kind)?.open(url)
  if (!store) throw new TypeError(`express-session has no usual store for ${kind}`)
  const one = () =>
    new Promise<void>((resolve, reject) => {
      // What express-session puts beside the data, under an id as it makes them.
      const expires = new Date(Date.now() + LIFETIME)
      const cookie = { originalMaxAge: LIFETIME, expires, httpOnly: true, path: '/' }
      const held = { cookie, ...data() } as unknown as session.SessionData
      store.set(randomBytes(24).toString('base64url'), held, (error: unknown) =>
        error ? reject(error) : resolve(),
      )
    })
  return { one, close: async () => undefined }
}
