import { mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import express, { type ErrorRequestHandler, type Request, type Response } from 'express'
import { expressSession } from 'sojourn/express'
import { Catalogue } from './catalogue.ts'
import { describeError } from './errors.ts'
import { type Answer, notFound, type PageRequest } from './page.ts'
import { render } from './render.ts'
import { routes } from './routes.ts'
import { isCrossSite, securityHeaders } from './security.ts'
import { sessions, type VisitorSession } from './sessions.ts'
import { dataDir, host, openOrRefuse, port } from './settings.ts'

const catalogue = await openOrRefuse('The catalogue', () => {
  mkdirSync(dataDir, { recursive: true })
  return new Catalogue(join(dataDir, 'catalogue.db'))
})

const app = express()
app.disable('x-powered-by')
app.use((_req, res, next) => {
  res.set(securityHeaders)
  next()
})
app.use(express.static(join(import.meta.dirname, '../public')))
app.use((req, _res, next) => {
  if (!isCrossSite(req.method, (name) => req.get(name))) return next()
  next(Object.assign(new Error('Refused: sent by another site'), { status: 403 }))
})
app.use(express.urlencoded({ extended: false, limit: '10kb' }))

// All that Sojourn needs. A request that does not ask for its session, such as one for the style sheet, costs nothing.
app.use(expressSession(sessions))

for (const { method, path, page } of routes) {
  app[method](path, async (req, res) => {
    const session = await sessions.of(req)
    answer(req, res, session, await page({ request: toPageRequest(req), session, catalogue }))
  })
}

app.use(async (req, res) => answer(req, res, await sessions.of(req), notFound()))

const onError: ErrorRequestHandler = (error, req, res, next) => {
  const view = describeError(error)
  if (view.status >= 500) console.error(error)
  if (res.headersSent) return next(error)
  // The session may be what failed, so the error page does without.
  res
    .status(view.status)
    .set('Cache-Control', 'no-store')
    .send(render(view, req.originalUrl, undefined))
}
app.use(onError)

function answer(req: Request, res: Response, session: VisitorSession, answer: Answer): void {
  // Nothing a reader saw while signed in is to be had with the Back button after signing out.
  res.set('Cache-Control', session.userId ? 'no-store' : 'private, no-cache')
  if ('redirect' in answer) {
    res.redirect(303, answer.redirect)
    return
  }
  res.status(answer.status ?? 200).send(render(answer, req.originalUrl, session))
}

function toPageRequest(req: Request): PageRequest {
  return {
    url: req.originalUrl,
    params: req.params as Record<string, string>,
    query: new URL(req.originalUrl, 'http://here.invalid').searchParams,
    form: new URLSearchParams(req.body),
    userAgent: req.get('user-agent') ?? '',
  }
}

const server = app.listen(port, host, (error) => {
  if (error) {
    const taken = 'code' in error && error.code === 'EADDRINUSE'
    console.error(
      taken
        ? `Port ${port} is taken. Choose another: PORT=${port + 1} npm start`
        : `The site cannot listen on ${host}:${port}: ${error.message}`,
    )
    process.exit(1)
  }
  const name = host === '127.0.0.1' || host === '::' || host === '0.0.0.0' ? 'localhost' : host
  console.log(`LocalLibrary: http://${name}:${(server.address() as AddressInfo).port} (stop with Ctrl+C)`)
})

let stopping = false
async function stop(): Promise<void> {
  // Ctrl+C reaches this process from the terminal and from `npm start` as well.
  if (stopping) return
  stopping = true
  setTimeout(() => server.closeAllConnections(), 3000).unref()
  await new Promise((resolve) => server.close(resolve))
  await sessions.close()
  catalogue.close()
}
process.on('SIGINT', stop)
process.on('SIGTERM', stop)
