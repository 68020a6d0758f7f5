/*
 * What the types of the adapter for h3 promise. Compiled, never run: each `@ts-expect-error` is a mistake that the compiler
 * must find.
 */
import { defineHandler, H3, type H3Event } from 'h3'
import * as h3v1 from 'h3v1'
import { h3Session, type WithSession } from '../../../src/adapters/h3.ts'
import type { Session, Sessions } from '../../../src/index.ts'

interface Shop {
  num_visits: number
}

declare const sessions: Sessions<Shop>

function check(session: Session<Shop>): string {
  // @ts-expect-error: there is no such key
  session.get('num_visit')
  // @ts-expect-error: not a number
  session.set('num_visits', 'three')
  return String(session.update('num_visits', (n = 0) => n + 1))
}

export const onH3 = new H3({ plugins: [h3Session(sessions)] })
  .register(h3Session(sessions, { eager: true }))
  .use(h3Session(sessions))
  .get('/', async (event) => check(await sessions.of(event)))
  // @ts-expect-error: the session has no such key
  .get('/wrong', async (event) => (await sessions.of(event)).get('num_visit'))

export const handler = defineHandler(async (event) => check(await sessions.of(event)))

export function eager(event: H3Event): string {
  return check((event as object as WithSession<H3Event, Shop>).context.session)
}

export function onH3v1(): h3v1.App {
  const app = h3v1.createApp()
  h3Session(sessions)(app)
  // @ts-expect-error: no such option
  h3Session(sessions, { lazy: true })
  // @ts-expect-error: no app
  h3Session(sessions)({})
  return app.use(h3v1.eventHandler(async (event) => check(await sessions.of(event))))
}

/** What Nitro 2 declares. */
declare function defineNitroPlugin(plugin: (nitro: { h3App: h3v1.App; hooks: object }) => void): unknown
export const onNitro: unknown = defineNitroPlugin(h3Session(sessions))
