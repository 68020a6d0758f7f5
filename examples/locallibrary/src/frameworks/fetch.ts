import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { withSession } from 'sojourn/fetch'
import type { App } from '../app.ts'
import { sessions } from '../sessions.ts'

/** No framework: a handler from `Request` to `Response`, as Bun, Deno and workers serve it. Node needs a bridge to it. */
export async function serve(site: App): Promise<Server> {
  // All that Sojourn needs.
  const handler = withSession(
    sessions,
    async (request: Request) => {
      const { pathname, search } = new URL(request.url)
      const header = (name: string) => request.headers.get(name) ?? undefined
      const session = () => sessions.of(request)
      const { method, body } = request
      const answer = await site.answer({ method, url: pathname + search, header, body, session })
      return new Response(answer.body, answer)
    },
    {
      onError(error, request) {
        const page = site.errorPage(error, new URL(request.url).pathname)
        return new Response(page.body, page)
      },
    },
  )
  return createAdaptorServer({ fetch: handler }) as Server
}
