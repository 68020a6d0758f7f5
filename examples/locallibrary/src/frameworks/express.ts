import { createServer, type Server } from 'node:http'
import express, { type ErrorRequestHandler, type Response } from 'express'
import { expressSession } from 'sojourn/express'
import type { App, SiteAnswer } from '../app.ts'
import { sessions } from '../sessions.ts'

export async function serve(site: App): Promise<Server> {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')

  // All that Sojourn needs.
  app.use(expressSession(sessions))

  app.use(async (req, res) => {
    const { method, originalUrl: url } = req
    const header = (name: string) => req.get(name)
    const session = () => sessions.of(req)
    send(res, await site.answer({ method, url, header, body: req, session }))
  })

  const onError: ErrorRequestHandler = (error, req, res, next) => {
    if (res.headersSent) return next(error)
    send(res, site.errorPage(error, req.originalUrl))
  }
  app.use(onError)
  return createServer(app)
}

function send(res: Response, { status, headers, body }: SiteAnswer): void {
  res.status(status).set(headers).send(body)
}
