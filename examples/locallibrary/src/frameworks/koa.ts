import { createServer, type Server } from 'node:http'
import Koa, { type Context } from 'koa'
import { koaSession } from 'sojourn/koa'
import type { App, SiteAnswer } from '../app.ts'
import { sessions } from '../sessions.ts'

export async function serve(site: App): Promise<Server> {
  const app = new Koa()
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      send(ctx, site.errorPage(error, ctx.originalUrl))
    }
  })

  // All that Sojourn needs.
  app.use(koaSession(sessions))

  app.use(async (ctx) => {
    const { method, originalUrl: url, req: body } = ctx
    const header = (name: string) => ctx.get(name) || undefined
    const session = () => sessions.of(ctx)
    send(ctx, await site.answer({ method, url, header, body, session }))
  })
  return createServer(app.callback())
}

function send(ctx: Context, { status, headers, body }: SiteAnswer): void {
  ctx.set(headers)
  ctx.body = body
  ctx.status = status
}
