/*
 * What the types promise. Compiled, never run: each `@ts-expect-error` is a mistake that the compiler must find, and an
 * error of its own where it does not.
 */
import * as v from 'valibot'
import { z } from 'zod'
import {
  type CookieOptions,
  createSessions,
  type Duration,
  type FlashMessage,
  type KeyOf,
  type Session,
  type SessionInfo,
  type Sessions,
  type SessionsOptions,
  type SessionTimeouts,
  type ValueOf,
} from '../../src/index.ts'
import { cookieStore } from '../../src/stores/cookie.ts'
import { memoryStore } from '../../src/stores/memory.ts'

/** Whether two types are one and the same, `any` and optional properties included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Compiles when the type of the value is that very one. */
declare function is<Expected>(): <Actual>(value: Actual, same: Same<Actual, Expected>) => void

interface Shop {
  num_visits: number
  cart: { items: string[] }
  theme?: 'dark' | 'light'
  nickname: string | null
}

declare const shop: Session<Shop>

export function reading(): void {
  is<number | undefined>()(shop.get('num_visits'), true)
  is<{ items: string[] } | undefined>()(shop.get('cart'), true)
  is<'dark' | 'light' | undefined>()(shop.get('theme'), true)
  is<string | null | undefined>()(shop.get('nickname'), true)
  is<boolean>()(shop.has('cart'), true)
  is<number>()(shop.size, true)

  // @ts-expect-error There is no such key.
  shop.get('unknown')
  // @ts-expect-error There is no such key.
  shop.has('visits')
  // @ts-expect-error A key is a text.
  shop.get(1)
  // @ts-expect-error It may be absent.
  shop.get('cart').items
  // @ts-expect-error A session is no plain object.
  shop.num_visits
}

export function fallbacks(): void {
  is<number | 0>()(shop.get('num_visits', 0), true)
  is<number | null>()(shop.get('num_visits', null), true)
  is<number | undefined>()(shop.get('num_visits', undefined), true)
  is<'dark' | 'light' | 'system'>()(shop.get('theme', 'system' as const), true)
  is<number | undefined>()(shop.pop('num_visits'), true)
  is<number | null>()(shop.pop('num_visits', null), true)
  const visits: number = shop.get('num_visits', 0) + 1
  shop.set('num_visits', visits)

  // @ts-expect-error There is no such key, whatever the fallback.
  shop.get('unknown', 0)
}

export function writing(): void {
  shop.set('num_visits', 1).set('cart', { items: [] }).set('nickname', null)
  is<boolean>()(shop.delete('theme'), true)
  is<{ items: string[] }>()(shop.getOrInsert('cart', { items: [] }), true)
  shop.get('cart')?.items.push('book')

  // @ts-expect-error Of another type.
  shop.set('num_visits', '1')
  // @ts-expect-error Not one of those.
  shop.set('theme', 'blue')
  // @ts-expect-error `delete` removes a key.
  shop.set('theme', undefined)
  // @ts-expect-error There is no such key.
  shop.set('unknown', 1)
  // @ts-expect-error Of another type.
  shop.getOrInsert('cart', [])
  // @ts-expect-error Facts are not assigned.
  shop.userId = 'ada'
  // @ts-expect-error A user is named by a text.
  shop.login(7)
}

export function updating(): void {
  is<number>()(
    shop.update('num_visits', (n = 0) => n + 1),
    true,
  )
  shop.update('cart', (cart) => {
    is<{ items: string[] } | undefined>()(cart, true)
    return cart
  })
  is<undefined>()(
    shop.update('theme', () => undefined),
    true,
  )

  // @ts-expect-error It may be absent.
  shop.update('num_visits', (n) => n + 1)
  // @ts-expect-error Of another type.
  shop.update('num_visits', () => '1')
  // @ts-expect-error There is no time to wait.
  void shop.update('num_visits', async (n = 0) => n + 1)
  // @ts-expect-error It takes a function.
  shop.update('num_visits', 1)
}

export function going(): void {
  for (const [key, value] of shop) {
    is<'num_visits' | 'cart' | 'theme' | 'nickname'>()(key, true)
    is<number | string | { items: string[] } | null>()(value, true)
  }
  is<KeyOf<Shop>[]>()([...shop.keys()], true)
  is<ValueOf<Shop, KeyOf<Shop>>[]>()([...shop.values()], true)
  is<FlashMessage[]>()(shop.takeFlashes(), true)
  shop.flash('any key', { any: 'value' })
}

export function sites(request: object): void {
  const sessions = createSessions<Shop>()
  is<Sessions<Shop>>()(sessions, true)
  is<Promise<Session<Shop>>>()(sessions.of(request), true)
  is<Promise<Session<Shop> | undefined>>()(sessions.resume('id'), true)
  is<Promise<SessionInfo<Shop>[]>>()(sessions.ofUser('ada'), true)
  sessions.on('ended', ({ handle, reason }) => {
    is<string>()(handle, true)
    is<'destroyed' | 'revoked'>()(reason, true)
  })

  // @ts-expect-error There is no such event.
  sessions.on('started', () => undefined)
  // @ts-expect-error No request has no session.
  void sessions.of()
  // @ts-expect-error Data has names.
  createSessions<number>()
}

export async function untyped(request: object): Promise<void> {
  const session = await createSessions().of(request)
  is<Session<Record<string, unknown>>>()(session, true)
  is<unknown>()(session.get('anything'), true)
  session.set('anything', 1).set('else', [])
  session.update('count', (n) => (typeof n === 'number' ? n + 1 : 1))

  // @ts-expect-error Nothing is known of it.
  session.get('anything').length
}

export async function schemas(request: object): Promise<void> {
  const withZod = createSessions({
    schema: z.object({ visits: z.number(), theme: z.enum(['dark', 'light']).optional() }),
  })
  const zod = await withZod.of(request)
  is<number | undefined>()(zod.get('visits'), true)
  is<'dark' | 'light' | undefined>()(zod.get('theme'), true)
  zod.set('theme', 'dark')
  // @ts-expect-error There is no such key.
  zod.get('unknown')
  // @ts-expect-error Of another type.
  zod.set('visits', '1')

  const withValibot = createSessions({
    schema: v.object({ visits: v.number(), tags: v.optional(v.array(v.string())) }),
    onInvalid: 'error',
  })
  const valibot = await withValibot.of(request)
  is<number | undefined>()(valibot.get('visits'), true)
  is<string[] | undefined>()(valibot.get('tags'), true)
  // @ts-expect-error There is no such key.
  valibot.get('unknown')
  // @ts-expect-error Of another type.
  valibot.set('tags', 'a')

  // What is stored is what a schema takes, since it does not transform.
  const defaults = await createSessions({ schema: z.object({ n: z.number().default(0) }) }).of(request)
  is<number | undefined>()(defaults.get('n'), true)

  // @ts-expect-error A schema of the whole data, which has names.
  createSessions({ schema: z.string() })
  // @ts-expect-error No schema.
  createSessions({ schema: { visits: 'number' } })
}

export const cookies: CookieOptions[] = [
  {},
  { name: 'visit', path: '/shop', domain: 'example.com', persistent: false },
  { sameSite: 'none' },
  { sameSite: 'none', partitioned: true, secure: true },
  { secure: false },
  { secure: false, sameSite: 'strict', partitioned: false },
  // @ts-expect-error Browsers drop it.
  { secure: false, sameSite: 'none' },
  // @ts-expect-error Browsers drop it.
  { secure: false, partitioned: true },
  // @ts-expect-error It always is.
  { httpOnly: false },
  // @ts-expect-error It follows from the timeouts.
  { maxAge: 3600 },
  // @ts-expect-error Spelled as `lax`.
  { sameSite: 'Lax' },
  // @ts-expect-error It is that by itself.
  { secure: 'auto' },
]

export const durations: Duration[] = [
  '500ms',
  '30s',
  '30m',
  '12h',
  '14d',
  '2w',
  '1.5h',
  // @ts-expect-error The units are letters.
  '30 minutes',
  // @ts-expect-error Of which unit?
  30,
  // @ts-expect-error Of which unit?
  '30',
  // @ts-expect-error No number.
  'm',
  // @ts-expect-error No number.
  'half an hour',
  // @ts-expect-error Years are of different lengths.
  '1y',
]

export const timeouts: SessionTimeouts[] = [
  { idle: '30m' },
  { absolute: '365d', persistent: true },
  // @ts-expect-error Of which unit?
  { idle: 1800 },
  // @ts-expect-error No such timeout.
  { idel: '30m' },
]

export const options: SessionsOptions[] = [
  { idleTimeout: '30m', absoluteTimeout: '12h', storeTimeout: '500ms', sealed: true },
  { onInvalid: 'drop', onStaleSet: 'allow', onStoreError: 'anonymous', clock: () => 0 },
  // @ts-expect-error Of which unit?
  { idleTimeout: 1800 },
  // @ts-expect-error The units are letters.
  { absoluteTimeout: '30 minutes' },
  // @ts-expect-error Misspelt.
  { idleTimout: '30m' },
  // @ts-expect-error Not one of those.
  { onStaleSet: 'ignore' },
  // @ts-expect-error No store.
  { store: new Map() },
  // @ts-expect-error Nothing to sign with: ids are unguessable.
  { secret: 'keyboard cat' },
]

export function carriedByValue(): void {
  const sessions = createSessions<Shop>({ store: cookieStore({ keys: ['...'], revocation: memoryStore() }) })
  is<Sessions<Shop>>()(sessions, true)
  is<boolean>()(sessions.supports.ofUser, true)
  // @ts-expect-error: it is no store that could remember
  cookieStore({ keys: ['...'], revocation: cookieStore({ keys: ['...'] }) })
  // @ts-expect-error: a list, since keys are changed one day
  cookieStore({ keys: '...' })
  // @ts-expect-error: there are no keys by default
  cookieStore({})
}
