import { flushCompileCache } from 'node:module'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { expressSession } from '../../../src/adapters/express.ts'
import { createSessions } from '../../../src/index.ts'
import { openStore } from '../../stores/workers/open.ts'

// A site that counts, until it is killed.
const [, , kind, path] = process.argv
const sessions = createSessions<Record<string, number>>({ store: await openStore(kind, path) })
const app = express()
app.use(expressSession(sessions))

app.get('/login', async (req, res) => {
  const session = await sessions.of(req)
  session.login('ada')
  res.end()
})

app.get('/add/:client/:number', async (req, res) => {
  const session = await sessions.of(req)
  if (session.isNew) {
    res.sendStatus(401)
    return
  }
  session.update('n', (n = 0) => n + 1)
  session.set(req.params.client, Number(req.params.number))
  res.end()
})

app.get('/show', async (req, res) => {
  const session = await sessions.of(req)
  res.json(Object.fromEntries(session))
})

// Its end is no occasion for it.
flushCompileCache()
const server = app.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
