// The adapter contract on Node 20, against the built package: plain JavaScript for Node's own test runner, since neither
// vitest nor the stripping of types is to be had there.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import express from 'express'
import { expressSession } from 'sojourn/express'
import { nodeSession } from 'sojourn/node'
import { adapterContract } from 'sojourn/testing'

function serveExpress({ sessions, pages, errorPage }) {
  const app = express()
  app.use(expressSession(sessions))
  for (const [path, page] of Object.entries(pages)) {
    app.all(path, async (req, res) => answer(res, await page(visitOf(sessions, req))))
  }
  // Express tells error handlers by their four parameters.
  app.use((error, _req, res, next) => (res.headersSent ? next(error) : answer(res, errorPage(error))))
  return listen(app)
}

function serveNode({ sessions, pages, errorPage }) {
  const handler = async (req, res) => {
    const page = pages[new URL(req.url, 'http://localhost').pathname]
    if (page) answer(res, await page(visitOf(sessions, req)))
    else res.writeHead(404).end()
  }
  const onError = (error, _req, res) => {
    if (res.headersSent) res.destroy()
    else answer(res, errorPage(error))
  }
  return listen(nodeSession(sessions, handler, { onError }))
}

function visitOf(sessions, req) {
  return { session: () => sessions.of(req), query: new URL(req.url, 'http://localhost').searchParams }
}

function answer(res, { status = 200, headers = [], body }) {
  res.statusCode = status
  for (const [name, value] of headers) res.appendHeader(name, value)
  if (body === undefined || typeof body === 'string') res.end(body)
  else Readable.from(body, { objectMode: false }).pipe(res)
}

async function listen(handler) {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://localhost:${server.address().port}`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

for (const [name, serve] of Object.entries({ 'Express 5': serveExpress, 'node:http': serveNode })) {
  describe(`the adapter contract on ${name}`, () => {
    for (const { name: rule, run } of adapterContract(serve)) it(rule, run)
  })
}
