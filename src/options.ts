import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { CarryingStore } from './carrier.ts'
import { environment, known, oneOf } from './check-options.ts'
import type { CookieOptions, CookiePolicy } from './cookie.ts'
import { cookiePolicy } from './cookie-policy.ts'
import { type Duration, milliseconds, timer } from './duration.ts'
import type { Lifetimes } from './lifetime.ts'
import type { Store } from './store.ts'

/** Options of `createSessions`. All have safe defaults. */
export interface SessionsOptions {
  /**
   * Where sessions live: `sqliteStore(...)`, `fileStore(...)`, `memoryStore()` or any other `Store`; or
   * `cookieStore({ keys })`, which seals each of them into its visitor's cookie.
   * @defaultValue a bounded memory store, refused when `NODE_ENV` is `production`
   */
  store?: Store | CarryingStore
  /**
   * A Standard Schema (zod, valibot, arktype, ...) of the whole data: infers its type and checks it on load. It checks
   * what is there, so keys that are not set yet are no fault, and it does not transform.
   */
  schema?: StandardSchemaV1<object>
  /**
   * What becomes of stored values that no longer fit the schema: `'drop'` removes them, with the next write from the store
   * too; `'error'` throws `ERR_SESSION_INVALID` wherever the session is asked for, until it ends or is revoked.
   * @defaultValue `'drop'`
   */
  onInvalid?: 'drop' | 'error'
  /** Ends a session that nobody used for this long. @defaultValue `'14d'` */
  idleTimeout?: Duration
  /** Ends a session so long after it began, or after its user signed in, whatever happens. @defaultValue `'30d'` */
  absoluteTimeout?: Duration
  /** The attributes of the cookie. */
  cookie?: CookieOptions
  /**
   * What happens when a key was read and then `set` in one request, and another request changed it in between: `'warn'`
   * says so in development, and the later write wins; `'error'` throws `ERR_SESSION_CONFLICT` (409), and nothing is
   * written; `'allow'` lets the later write win. `update` is exact in any case.
   * @defaultValue `'warn'`
   */
  onStaleSet?: 'warn' | 'error' | 'allow'
  /**
   * Encrypts the data at rest with a key that only the visitor's cookie opens, so that a stolen table reveals nothing.
   * @defaultValue `false`
   */
  sealed?: boolean
  /**
   * What happens while the store is down: `'error'` throws `ERR_SESSION_STORE` (503); `'anonymous'` serves the visitor
   * without a session and leaves the cookie alone; an explicit `save()` still throws.
   * @defaultValue `'error'`
   */
  onStoreError?: 'error' | 'anonymous'
  /** How long a call of the store may take before it fails. @defaultValue `'5s'` */
  storeTimeout?: Duration
  /** The time in milliseconds since 1970, for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/** The options, checked and complete. */
export interface Settings {
  readonly store: Store | CarryingStore | undefined
  readonly schema: StandardSchemaV1 | undefined
  readonly onInvalid: 'drop' | 'error'
  readonly lifetimes: Lifetimes
  readonly cookie: CookiePolicy
  readonly onStaleSet: 'warn' | 'error' | 'allow'
  readonly sealed: boolean
  readonly onStoreError: 'error' | 'anonymous'
  readonly storeTimeout: number
  readonly clock: () => number
  readonly production: boolean
}

const OPTIONS = [
  'store',
  'schema',
  'onInvalid',
  'idleTimeout',
  'absoluteTimeout',
  'cookie',
  'onStaleSet',
  'sealed',
  'onStoreError',
  'storeTimeout',
  'clock',
] satisfies (keyof SessionsOptions)[]

const VERBS = ['read', 'create', 'update', 'delete'] as const

/** Checks the options. @throws TypeError that names the option and what was expected. */
export function settings(options: SessionsOptions): Settings {
  known(options, OPTIONS, 'createSessions')
  const { store, schema, idleTimeout = '14d', absoluteTimeout = '30d', storeTimeout = '5s' } = options
  const { onInvalid = 'drop', onStaleSet = 'warn', onStoreError = 'error', sealed = false } = options
  const { clock = Date.now, cookie = {} } = options
  const production = environment() === 'production'
  if (store === undefined && production) {
    throw new TypeError(
      '"store" is required in production: memory is lost at every restart and known to one process only. ' +
        'Give sqliteStore("sessions.db") from "sojourn/sqlite" or another store, or memoryStore() to insist',
    )
  }
  if (store !== undefined && !isStore(store)) {
    throw new TypeError('"store" must be a Store, such as sqliteStore("sessions.db") from "sojourn/sqlite"')
  }
  if (schema !== undefined && typeof schema?.['~standard']?.validate !== 'function') {
    throw new TypeError('"schema" must be a Standard Schema, such as z.object({ ... }) of zod')
  }
  if (typeof clock !== 'function') throw new TypeError('"clock" must be a function such as Date.now')
  return {
    store,
    schema,
    onInvalid: oneOf(onInvalid, ['drop', 'error'], 'onInvalid'),
    lifetimes: {
      idle: milliseconds(idleTimeout, 'idleTimeout'),
      absolute: milliseconds(absoluteTimeout, 'absoluteTimeout'),
    },
    cookie: cookiePolicy(cookie),
    onStaleSet: oneOf(onStaleSet, ['warn', 'error', 'allow'], 'onStaleSet'),
    sealed: oneOf(sealed, [true, false], 'sealed'),
    onStoreError: oneOf(onStoreError, ['error', 'anonymous'], 'onStoreError'),
    storeTimeout: timer(storeTimeout, 'storeTimeout'),
    clock,
    production,
  }
}

/** Also of what has no type. */
function isStore(store: Partial<Store & CarryingStore> | null): boolean {
  return typeof store?.carry === 'function' || VERBS.every((verb) => typeof store?.[verb] === 'function')
}
