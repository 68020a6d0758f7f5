import { Readable } from 'node:stream'
import { H3, type H3Event, HTTPResponse, serve } from 'h3'
import * as h3v1 from 'h3v1'
import { h3Session } from '../../../src/adapters/h3.ts'
import type { PageAnswer, Serve, ServedSite } from '../../../src/testing/adapter-site.ts'
import { listen } from '../../adapters/serve.ts'
import { toResponse } from '../../adapters/to-response.ts'

/** How an answer is given: `value` as h3's own kinds of values, `response` as a `Response`, `sent` by the handler itself. */
export type Answering = 'value' | 'response' | 'sent'

/** Serves the contract's site with h3 2. */
export const serveH3 =
  (answering: Exclude<Answering, 'sent'>): Serve =>
  ({ sessions, pages, errorPage }) => {
    const answer = (event: H3Event, given: PageAnswer): unknown =>
      answering === 'response' ? toResponse(given) : toValue(event, given)
    const app = new H3({
      silent: true,
      onError: (error, event) => answer(event, errorPage(error.cause)),
      plugins: [h3Session(sessions)],
    })
    for (const [path, page] of Object.entries(pages)) {
      app.all(path, async (event) =>
        answer(event, await page({ session: () => sessions.of(event), query: event.url.searchParams })),
      )
    }
    return listenH3(app)
  }

/** Serves an app of h3 2 on a free port. */
export async function listenH3(app: H3): Promise<ServedSite> {
  const server = serve(app, { port: 0, hostname: '127.0.0.1', silent: true })
  await server.ready()
  return {
    origin: `http://localhost:${new URL(server.url ?? '').port}`,
    close: () => server.close(true),
  }
}

/** What h3 2 makes an answer of. What stands on the event is for both the answer and its error page. */
function toValue({ res }: H3Event, { status = 200, headers = [], body }: PageAnswer): unknown {
  if (typeof body === 'object') {
    return new HTTPResponse(toResponse({ body }).body, { status, headers: headers.map(([...pair]) => pair) })
  }
  res.status = status
  for (const [name, value] of headers) res.headers.append(name, value)
  return body ?? null
}

/** Serves the contract's site with h3 1. */
export const serveH3v1 =
  (answering: Answering): Serve =>
  ({ sessions, pages, errorPage }) => {
    const app = h3v1.createApp({
      onError: (error, event) =>
        answerV1(event, errorPage(Object.assign(error, { status: error.statusCode })), 'sent'),
    })
    h3Session(sessions)(app)
    const router = h3v1.createRouter()
    app.use(router)
    for (const [path, page] of Object.entries(pages)) {
      router.use(
        path,
        h3v1.eventHandler(async (event) => {
          const query = new URL(event.path, 'http://localhost').searchParams
          return answerV1(event, await page({ session: () => sessions.of(event), query }), answering)
        }),
      )
    }
    return listen(h3v1.toNodeListener(app))
  }

function answerV1(
  event: h3v1.H3Event,
  { status = 200, headers = [], body }: PageAnswer,
  answering: Answering,
): unknown {
  if (answering === 'response') return toResponse({ status, headers, ...(body !== undefined && { body }) })
  h3v1.setResponseStatus(event, status)
  for (const [name, value] of headers) h3v1.appendResponseHeader(event, name, value)
  if (body === undefined) return h3v1.send(event)
  if (typeof body !== 'object') return answering === 'value' ? body : h3v1.send(event, body)
  const stream = Readable.from(body, { objectMode: false })
  return answering === 'value' ? stream : h3v1.sendStream(event, stream)
}
