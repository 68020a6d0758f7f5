import { setTimeout as wait } from 'node:timers/promises'
import express, { type Express } from 'express'
import session from 'express-session'
import { createSessions, type Store } from 'sojourn'
import { expressSession } from 'sojourn/express'
import { openStoreUrl } from 'sojourn/from-url'
import { peerOf } from './peer-stores.ts'
import type { Kind } from './places.ts'

/**
 * A site whose requests meet: the same pages, by each package as its users write them.
 * @param delay how many milliseconds each write of the store takes
 */
export async function meetingSite(
  by: 'sojourn' | 'peer',
  kind: Kind,
  url: string,
  delay: number,
): Promise<Express> {
  if (by === 'sojourn') return sojournSite(await openStoreUrl(url), delay)
  const peer = peerOf(kind)
  if (!peer) throw new TypeError(`express-session has no usual store for ${kind}`)
  return peerSite(await peer.open(url), delay)
}

/** How long each handler works, as if it asked a database. */
const WORK = 5
/** How long the slow page works: longer than a sign-out takes. */
const SLOW_WORK = 50

interface Data {
  [key: `k${number}`]: number
  n: number
  begun: boolean
  late: boolean
  userId: string
}

function sojournSite(store: Store, delay: number): Express {
  const sessions = createSessions<Data>({ store: delay ? delayed(store, delay) : store })
  const app = express()
  app.use(expressSession(sessions))
  app.get('/begin', async (req, res) => {
    const session = await sessions.of(req)
    session.set('begun', true)
    res.send('begun')
  })
  app.get('/keys/:i', async (req, res) => {
    const session = await sessions.of(req)
    await wait(WORK)
    session.set(`k${Number(req.params.i)}`, 1)
    res.send('set')
  })
  app.get('/count', async (req, res) => {
    const session = await sessions.of(req)
    await wait(WORK)
    session.update('n', (n = 0) => n + 1)
    res.send('counted')
  })
  app.get('/show', async (req, res) => {
    const session = await sessions.of(req)
    const keys = [...session.keys()].filter((key) => /^k\d/.test(key))
    res.send(`${keys.length} ${session.get('n', 0)}`)
  })
  app.get('/slow', async (req, res) => {
    const session = await sessions.of(req)
    await wait(SLOW_WORK)
    session.set('late', true)
    res.send('late')
  })
  app.get('/sign-out', async (req, res) => {
    const session = await sessions.of(req)
    session.destroy()
    res.send('bye')
  })
  app.get('/alive', async (req, res) => {
    const session = await sessions.of(req)
    res.send(session.isEmpty ? 'no' : 'yes')
  })
  app.get('/sign-in', async (req, res) => {
    const session = await sessions.of(req)
    session.login('ada')
    res.redirect('/who')
  })
  app.get('/sign-in-and-save', async (req, res) => {
    const session = await sessions.of(req)
    session.login('ada')
    await session.save()
    res.redirect('/who')
  })
  app.get('/who', async (req, res) => {
    const session = await sessions.of(req)
    res.send(session.userId ?? 'nobody')
  })
  return app
}

function delayed(store: Store, delay: number): Store {
  return {
    read: (key) => store.read(key),
    delete: (key) => store.delete(key),
    create: (key, entry) => wait(delay).then(() => store.create(key, entry)),
    update: (key, entry, version) => wait(delay).then(() => store.update(key, entry, version)),
  }
}

declare module 'express-session' {
  interface SessionData extends Data {}
}

function peerSite(store: session.Store, delay: number): Express {
  if (delay) slowDown(store, delay)
  const app = express()
  app.use(session({ store, secret: 'keyboard cat', resave: false, saveUninitialized: false }))
  app.get('/begin', (req, res) => {
    req.session.begun = true
    res.send('begun')
  })
  app.get('/keys/:i', async (req, res) => {
    await wait(WORK)
    req.session[`k${Number(req.params.i)}`] = 1
    res.send('set')
  })
  app.get('/count', async (req, res) => {
    await wait(WORK)
    req.session.n = (req.session.n || 0) + 1
    res.send('counted')
  })
  app.get('/show', (req, res) => {
    const keys = Object.keys(req.session).filter((key) => /^k\d/.test(key))
    res.send(`${keys.length} ${req.session.n ?? 0}`)
  })
  app.get('/slow', async (req, res) => {
    await wait(SLOW_WORK)
    req.session.late = true
    res.send('late')
  })
  app.get('/sign-out', (req, res, next) => {
    req.session.destroy((error) => {
      if (error) next(error)
      else res.clearCookie('connect.sid').send('bye')
    })
  })
  app.get('/alive', (req, res) => {
    res.send(req.session.begun ? 'yes' : 'no')
  })
  app.get('/sign-in', (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) return next(error)
      req.session.userId = 'ada'
      res.redirect('/who')
    })
  })
  // The longer way, which the README of express-session shows.
  app.get('/sign-in-and-save', (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) return next(error)
      req.session.userId = 'ada'
      req.session.save((error) => {
        if (error) next(error)
        else res.redirect('/who')
      })
    })
  })
  app.get('/who', (req, res) => {
    res.send(req.session.userId ?? 'nobody')
  })
  return app
}

function slowDown(store: session.Store, delay: number): void {
  const set = store.set.bind(store)
  store.set = (id, data, callback) => {
    setTimeout(() => set(id, data, callback), delay)
  }
}
