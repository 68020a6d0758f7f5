import { known, oneOf } from '../check-options.ts'
import type { Session } from '../session.ts'
import type { Sessions } from '../sessions.ts'
import { checkSessions, type EagerOption, type ProxyOption } from './adapter-options.ts'
import { H3NodeApp, type H3v1App } from './h3-node.ts'
import { type H3App, type H3Event, H3Web } from './h3-web.ts'

export type { H3v1App, H3v1Event } from './h3-node.ts'
export type { H3App, H3Event } from './h3-web.ts'

/** What {@link h3Session} may be told; `eager` puts the session on `event.context.session`. */
export interface H3SessionOptions extends EagerOption, ProxyOption {}

/** What is used of Nitro 2, which Nuxt 3 and 4 stand on. */
export interface NitroApp {
  readonly h3App: H3v1App
}

/** What {@link h3Session} answers: a plugin of whatever has an app, and a middleware of h3 2. */
export interface H3Session {
  /** A plugin of h3 2: `app.register(h3Session(sessions))`. */
  (app: H3App): void
  /** A plugin of Nitro 2 and Nuxt: `export default defineNitroPlugin(h3Session(sessions))`. */
  (nitro: NitroApp): void
  /** For an app of h3 1, which knows no plugins: `h3Session(sessions)(app)`. */
  (app: H3v1App): void
  /** A middleware of h3 2, where there is no app at hand. */
  (event: H3Event, next: () => unknown): Promise<unknown>
}

/** An event with the session that `eager: true` has put on its context. */
export type WithSession<Event extends object, Data extends object = Record<string, unknown>> = Omit<
  Event,
  'context'
> & { context: { session: Session<Data> } }

/**
 * Sessions for h3 2 and 1, Nitro and Nuxt: `await sessions.of(event)` in the handlers. What a handler changes is saved
 * before its answer leaves; when that fails, the error goes the way of what a handler throws.
 * @example
 * const app = new H3().register(h3Session(sessions))
 * @example
 * // server/plugins/sessions.ts of Nuxt or Nitro 2
 * export default defineNitroPlugin(h3Session(sessions))
 * @throws TypeError when an argument is wrong.
 */
export function h3Session<Data extends object>(
  sessions: Sessions<Data>,
  options: H3SessionOptions = {},
): H3Session {
  checkSessions(sessions, 'h3Session')
  known(options, ['eager', 'trustProxy'], 'h3Session')
  const eager = oneOf(options.eager ?? false, [true, false], 'eager')
  const trustProxy = oneOf(options.trustProxy ?? false, [true, false], 'trustProxy')
  const web = new H3Web(sessions, { eager, trustProxy })

  function install(app: H3App | NitroApp | H3v1App): void
  function install(event: H3Event, next: () => unknown): Promise<unknown>
  function install(target: H3App | NitroApp | H3v1App | H3Event, next?: () => unknown): unknown {
    if (next) return web.around(target as H3Event, next)
    if ('config' in target) return web.install(target)
    const app = 'h3App' in target ? target.h3App : target
    if ('options' in app) return new H3NodeApp(sessions, { eager, trustProxy }, app).install()
    throw new TypeError(
      'What h3Session() answers takes an app of h3 or Nitro, or an event of h3 2 and next()',
    )
  }
  return install
}
