import type { ServerResponse } from 'node:http'
import type { HeldVisit } from './held-visit.ts'

/** A response, and what has to be saved before it leaves. */
export interface Held {
  readonly res: ServerResponse
  visit: HeldVisit
  readonly fail: (error: unknown) => void
  /** The streams that were piped into the response. */
  sources: Source[] | undefined
  /** The response's methods as they were: Node's, or those of middleware that came earlier. */
  readonly inner: Pick<ServerResponse, 'writeHead' | 'write' | 'end' | 'flushHeaders' | 'on'>
}

/** A readable stream, as far as it is handled here. */
export interface Source {
  unpipe(destination: ServerResponse): unknown
  listenerCount(event: string): number
  destroy(): unknown
}

/** Keeps a stream's bytes out of the error page. Where nobody else reads it, what it holds open is released afterwards. */
export function abandon(source: Source, res: ServerResponse): void {
  source.unpipe(res)
  res.once('close', () => {
    if (source.listenerCount('data') === 0 && source.listenerCount('readable') === 0) source.destroy()
  })
}
