import { once } from 'node:events'
import { createServer as createHttp1 } from 'node:http'
import {
  connect,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { ServedSite } from '../../src/testing/adapter-site.ts'
import { close, originOf } from './serve.ts'

/** Serves by HTTP/2, behind a bridge for clients that know HTTP/1.1 only. */
export async function listenHttp2(
  handler: (req: Http2ServerRequest, res: Http2ServerResponse) => void,
): Promise<ServedSite> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = new Set<ServerHttp2Session>()
  server.on('session', (one) => accepted.add(one))
  const session = connect(originOf(server))
  const bridge = createHttp1((req, res) => {
    const stream = session.request({
      ':method': req.method,
      ':path': req.url,
      cookie: req.headers.cookie ?? '',
    })
    req.pipe(stream)
    stream.on('response', ({ ':status': status, ...headers }) => {
      res.writeHead(status ?? 500, headers)
      stream.pipe(res)
    })
    res.on('close', () => stream.close())
  }).listen(0, '127.0.0.1')
  await once(bridge, 'listening')
  return {
    origin: originOf(bridge),
    async close() {
      await close(bridge)
      session.destroy()
      server.close()
      // The server's side may still wait for a stream whose reader has gone.
      for (const one of accepted) one.destroy()
      await once(server, 'close')
    },
  }
}
