import { type EventEmitter, once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { PageAnswer, ServedSite } from '../../src/testing/adapter-site.ts'

/** Serves on a free port. */
export async function listen(handler: RequestListener): Promise<ServedSite> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { origin: originOf(server), close: () => close(server) }
}

export function originOf(server: { address(): AddressInfo | string | null }): string {
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

export async function close(
  server: Pick<Server, 'close' | 'closeAllConnections'> & EventEmitter,
): Promise<void> {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}

/** How a streamed body gets into the response: different paths through Node, the same for the visitor. */
export type Streaming = 'write' | 'pipe'

/** Answers as Node's own handlers do. */
export async function answer(
  res: ServerResponse,
  { status = 200, headers = [], body }: PageAnswer,
  streaming: Streaming,
): Promise<void> {
  res.statusCode = status
  for (const [name, value] of headers) res.appendHeader(name, value)
  if (body === undefined || typeof body === 'string') {
    res.end(body)
    return
  }
  if (streaming === 'pipe') {
    Readable.from(body, { objectMode: false }).pipe(res)
    return
  }
  for await (const chunk of body) {
    if (res.destroyed) return
    if (!res.write(chunk)) await Promise.race([once(res, 'drain'), once(res, 'close')])
  }
  res.end()
}
