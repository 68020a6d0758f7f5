import type { ServerResponse } from 'node:http'
import type express from 'express'
import { expressSession } from '../../src/adapters/express.ts'
import {
  type NodeRequest,
  type NodeResponse,
  type NodeSessionOptions,
  nodeSession,
} from '../../src/adapters/node.ts'
import type { Serve, Site } from '../../src/testing/adapter-site.ts'
import { listenHttp2 } from './http2-bridge.ts'
import { answer, listen, type Streaming } from './serve.ts'

/** Serves the contract's site with Express. */
export const serveExpress =
  (framework: typeof express, streaming: Streaming): Serve =>
  ({ sessions, pages, errorPage }: Site) => {
    const app = framework()
    app.use(expressSession(sessions))
    for (const [path, page] of Object.entries(pages)) {
      app.all(path, (req, res, next) => {
        const query = new URL(req.url, 'http://localhost').searchParams
        Promise.resolve(page({ session: () => sessions.of(req), query }))
          .then((given) => answer(res, given, streaming))
          .catch(next)
      })
    }
    app.use(((error, _req, res, next) => {
      if (res.headersSent) next(error)
      else void answer(res, errorPage(error), streaming)
    }) satisfies express.ErrorRequestHandler)
    return listen(app)
  }

/** Serves the contract's site with plain Node. */
export const serveNode =
  (streaming: Streaming, listenWith = listen): Serve =>
  (site) =>
    listenWith(nodeSession(site.sessions, nodeHandler(site, streaming), nodeOptions(site, streaming)))

/** Serves the contract's site with Node's compatibility API for HTTP/2. */
export const serveHttp2 =
  (streaming: Streaming): Serve =>
  (site) =>
    listenHttp2(nodeSession(site.sessions, nodeHandler(site, streaming), nodeOptions(site, streaming)))

function nodeHandler({ sessions, pages }: Site, streaming: Streaming) {
  return async (req: NodeRequest, res: NodeResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://localhost')
    const page = pages[pathname]
    if (!page) throw new Error(`There is no page ${pathname}`)
    const given = await page({ session: () => sessions.of(req), query: searchParams })
    await answer(res as ServerResponse, given, streaming)
  }
}

function nodeOptions(
  { errorPage }: Site,
  streaming: Streaming,
): NodeSessionOptions<NodeRequest, NodeResponse> {
  return {
    async onError(error, _req, res) {
      if (!res.headersSent) await answer(res as ServerResponse, errorPage(error), streaming)
      else if ('destroy' in res) res.destroy()
    },
  }
}
