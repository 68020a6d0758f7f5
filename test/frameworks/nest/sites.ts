import 'reflect-metadata'
import { Readable } from 'node:stream'
import {
  All,
  type ArgumentsHost,
  Controller,
  type INestApplication,
  Module,
  Req,
  Res,
  StreamableFile,
  type Type,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { SessionModule } from '../../../src/adapters/nest.ts'
import type { PageAnswer, Serve, ServedSite } from '../../../src/testing/adapter-site.ts'
import { originOf } from '../../adapters/serve.ts'

// Decorators are applied by hand, as compiled code does: what runs these tests leaves out types and nothing else.

export type Platform = 'express' | 'fastify'
export const PLATFORMS = ['express', 'fastify'] satisfies Platform[]

/** What both platforms' responses have of what is used here. */
export interface AnyResponse {
  readonly raw?: object
  status(code: number): this
  append?(name: string, value: string): unknown
  header(name: string, value: string): unknown
  send(body?: unknown): unknown
  readonly headersSent?: boolean
}

export interface AnyRequest {
  readonly url: string
}

/** Applies decorators to a method and its parameters. */
export function method(
  type: Type,
  name: string,
  decorators: MethodDecorator[],
  parameters: ParameterDecorator[] = [],
): void {
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, name) ?? {}
  for (const decorator of decorators) decorator(type.prototype, name, descriptor)
  for (const [i, decorator] of parameters.entries()) decorator(type.prototype, name, i)
}

/** An application of that module, on a platform, listening on a free port. */
export async function start(
  root: Type,
  platform: Platform,
  setUp: (app: INestApplication) => void = () => undefined,
): Promise<ServedSite> {
  const adapter =
    platform === 'express' ? new ExpressAdapter() : new FastifyAdapter({ forceCloseConnections: true })
  const app = await NestFactory.create(root, adapter, { logger: false, forceCloseConnections: true })
  setUp(app)
  await app.listen(0, '127.0.0.1')
  return { origin: originOf(app.getHttpServer()), close: () => app.close() }
}

/** A module with those imports and controllers. */
export function moduleOf(
  imports: NonNullable<Parameters<typeof Module>[0]['imports']>,
  ...controllers: Type[]
): Type {
  class Root {}
  Module({ imports, controllers })(Root)
  return Root
}

/** Serves the contract's site with Nest. */
export const serveNest =
  (platform: Platform): Serve =>
  ({ sessions, pages, errorPage }) => {
    class Pages {
      async page(req: AnyRequest, res: AnyResponse): Promise<unknown> {
        const { pathname, searchParams: query } = new URL(req.url, 'http://localhost')
        const page = pages[pathname]
        return page ? prepare(res, await page({ session: () => sessions.of(req), query })) : undefined
      }
    }
    method(Pages, 'page', [All(Object.keys(pages))], [Req(), Res({ passthrough: true })])
    Controller()(Pages)
    const filter = {
      catch(error: unknown, host: ArgumentsHost): void {
        const res = host.switchToHttp().getResponse<AnyResponse>()
        if (!res.headersSent) res.send(prepare(res, errorPage(error)))
      },
    }
    const root = moduleOf([SessionModule.forRoot({ sessions })], Pages)
    return start(root, platform, (app) => app.useGlobalFilters(filter))
  }

/** Says of the answer what Nest takes from the response, and answers its body. */
function prepare(res: AnyResponse, { status = 200, headers = [], body }: PageAnswer): unknown {
  res.status(status)
  for (const [name, value] of headers) {
    if (name === 'Set-Cookie' && res.append) res.append(name, value)
    else res.header(name, value)
  }
  if (typeof body !== 'object') return body
  const type = new Map(headers).get('Content-Type')
  return new StreamableFile(Readable.from(body, { objectMode: false }), type === undefined ? {} : { type })
}
