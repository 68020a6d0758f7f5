import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

/** Hands over the requests of one turn of the event loop together, at its end: what any server could do, to tell it from what Sojourn gives. */
export function atEndOfTurn(listener: RequestListener): RequestListener {
  let arrived: [IncomingMessage, ServerResponse][] = []
  const answer = (): void => {
    const all = arrived
    arrived = []
    for (const [req, res] of all) listener(req, res)
  }
  return (req, res) => {
    if (arrived.push([req, res]) === 1) setImmediate(answer)
  }
}
