import { newBytes, toBase64Url } from './base64url.ts'

// Drawn many at a time, since each draw costs more than the bytes. Not at once when loaded, where some runtimes refuse it.
const POOL_BYTES = 3072
let pool: Uint8Array | undefined
let drawn = POOL_BYTES

/** Random bytes as base64url. */
export function randomText(bytes: number): string {
  return draw(bytes, toBase64Url)
}

export function randomBytes(bytes: number): Uint8Array {
  return draw(bytes, (all, start, end) => new Uint8Array(all.subarray(start, end)))
}

function draw<T>(bytes: number, take: (pool: Uint8Array, start: number, end: number) => T): T {
  pool ??= newBytes(POOL_BYTES)
  if (drawn + bytes > POOL_BYTES) {
    crypto.getRandomValues(pool)
    drawn = 0
  }
  const taken = take(pool, drawn, drawn + bytes)
  // Nobody who gets to see this memory later learns an id of today.
  pool.fill(0, drawn, drawn + bytes)
  drawn += bytes
  return taken
}
