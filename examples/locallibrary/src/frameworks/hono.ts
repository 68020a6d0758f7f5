import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { honoSession } from 'sojourn/hono'
import type { App } from '../app.ts'
import { sessions } from '../sessions.ts'

export async function serve(site: App): Promise<Server> {
  const app = new Hono()

  // All that Sojourn needs.
  app.use(honoSession(sessions))

  app.all('*', async (c) => {
    const { pathname, search } = new URL(c.req.url)
    const header = (name: string) => c.req.header(name)
    const session = () => sessions.of(c)
    const { method, raw } = c.req
    const answer = await site.answer({ method, url: pathname + search, header, body: raw.body, session })
    return new Response(answer.body, answer)
  })
  app.onError((error, c) => {
    const page = site.errorPage(error, new URL(c.req.url).pathname)
    return new Response(page.body, page)
  })
  return createAdaptorServer({ fetch: app.fetch }) as Server
}
