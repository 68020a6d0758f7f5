// What is used here of packages that have no types of their own, or that only the measurements install: as their READMEs show.
declare module 'better-sqlite3-session-store' {
  import type { Store } from 'express-session'

  function sessionStore(session: { Store: typeof Store }): new (options: { client: object }) => Store
  export = sessionStore
}

declare module 'session-file-store' {
  import type { Store } from 'express-session'

  interface Options {
    path: string
    logFn: (text: string) => void
  }
  function sessionStore(session: { Store: typeof Store }): new (options: Options) => Store
  export = sessionStore
}

declare module 'express-mysql-session' {
  import type { Store } from 'express-session'

  interface Options {
    host: string
    port: number
    user: string
    database: string
  }
  function sessionStore(session: {
    Store: typeof Store
  }): new (
    options: Options,
  ) => Store & { clearExpiredSessions(): Promise<unknown>; close(): Promise<void>; onReady(): Promise<void> }
  export = sessionStore
}

declare module 'connect-memcached' {
  import type { Store } from 'express-session'

  function sessionStore(session: { Store: typeof Store }): new (options: { hosts: string[] }) => Store
  export = sessionStore
}

declare module 'autocannon' {
  type OnResponse = (status: number, body: string, context: object, headers?: object) => void

  interface Request {
    path: string
    headers: { cookie?: string | undefined }
    /** Makes the request anew each time. */
    setupRequest?: (request: object) => object
    onResponse: OnResponse
  }
  interface Options {
    url: string
    connections: number
    /** In seconds. */
    duration: number
    amount?: number
    sampleInt: number
    setupClient: (client: { setRequests(requests: Request[]): void }) => void
  }
  function autocannon(options: Options): Promise<{ errors: number }>
  export = autocannon
}

declare module 'superjson' {
  const superjson: { parse(text: string): unknown; stringify(value: unknown): string }
  export = superjson
}

declare module '@fastify/cookie' {
  import type { FastifyPluginCallback } from 'fastify'

  const plugin: FastifyPluginCallback
  export = plugin
}

declare module '@fastify/session' {
  import type { Store } from 'express-session'
  import type { FastifyPluginCallback } from 'fastify'

  interface Options {
    secret: string
    cookie: { secure: boolean }
    saveUninitialized: boolean
    rolling: boolean
    store?: Store
  }
  const plugin: FastifyPluginCallback<Options>
  export = plugin
}

declare module '@fastify/secure-session' {
  import type { FastifyPluginCallback } from 'fastify'

  const plugin: FastifyPluginCallback<{ key: Uint8Array; cookie: { path: string } }>
  export = plugin
}

declare module 'koa-session' {
  import type Koa from 'koa'

  function session(options: { store?: object }, app: Koa): Koa.Middleware
  export = session
}

declare module 'iron-session' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export function getIronSession<Data>(
    request: IncomingMessage,
    response: ServerResponse,
    options: { password: string; cookieName: string },
  ): Promise<Partial<Data> & { save(): Promise<void> }>
}

declare module '@hono/session' {
  import type { MiddlewareHandler } from 'hono'

  export function useSession(options: {
    secret: Uint8Array
    duration: { absolute: number }
  }): MiddlewareHandler
}
