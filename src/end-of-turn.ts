// As it is when this is loaded: clocks that tests put in its place later do not stop requests.
const atEnd = isWorker() ? undefined : globalThis.setImmediate

let end: Promise<void> | undefined
let over: () => void

/**
 * Resolves at the end of this turn of the event loop, once all requests that have arrived are known: they are looked after
 * one right after the other, and answered so, which costs each of them about half. A lone one waits for nobody.
 *
 * At once where a runtime has no such moment.
 */
export function endOfTurn(): Promise<void> {
  if (!atEnd) return Promise.resolve()
  if (!end) {
    end = new Promise(begun)
    atEnd(ended)
  }
  return end
}

function begun(resolve: () => void): void {
  over = resolve
}

function ended(): void {
  end = undefined
  over()
}

/** On Cloudflare's workers a request must not wait for what another one has begun. */
function isWorker(): boolean {
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers'
}
