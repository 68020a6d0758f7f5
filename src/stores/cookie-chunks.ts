import type { CookieJar } from '../cookie-jar.ts'
import type { SessionRecord } from '../record.ts'

// RFC 6265bis section 5.6: browsers drop a cookie whose name and value exceed 4096 bytes. Some count the attributes, too.
const MAX_COOKIE = 4096
/** The most that a session's cookies may take together, names and attributes included: servers take 8 kB of headers. */
export const MAX_COOKIES = 8192
const MAX_CHUNKS = MAX_COOKIES / MAX_COOKIE
// Each is decrypted, and a browser sends two or three at the most: the rest is somebody trying.
const MAX_CANDIDATES = 6

/**
 * The `Set-Cookie` values that hold a text: the cookie with the number of chunks in front, the others under its name and
 * `.1`, ...; and those that remove the chunks of an older text. `undefined` when it is too large.
 */
export function chunksOf(text: string, jar: CookieJar, record: SessionRecord): string[] | undefined {
  const whole = jar.set(`1${text}`, record)
  if (whole.length <= MAX_COOKIE) return [whole, ...clearedChunks(jar, 1)]
  const chunks: string[] = []
  let rest = text
  while (chunks.length === 0 || rest !== '') {
    if (chunks.length === MAX_CHUNKS) return undefined
    const empty = jar.set(chunks.length === 0 ? '1' : '', record, suffix(chunks.length))
    const room = Math.max(MAX_COOKIE - empty.length, 0)
    chunks.push(rest.slice(0, room))
    rest = rest.slice(room)
  }
  const cookies = chunks.map((chunk, n) =>
    jar.set(n === 0 ? chunks.length + chunk : chunk, record, suffix(n)),
  )
  return [...cookies, ...clearedChunks(jar, chunks.length)]
}

/** The `Set-Cookie` values that remove the chunks that the request brought, from that number on. */
export function clearedChunks(jar: CookieJar, from = 0): string[] {
  const cleared: string[] = []
  for (let n = from; n < MAX_CHUNKS; n++) {
    if (jar.values(suffix(n)).length > 0) cleared.push(jar.clear(suffix(n)))
  }
  return cleared
}

/**
 * The texts that the request's cookies may hold. There may be several: after a change of domain or path the browser sends
 * the old cookies beside the new ones. Chunks that do not belong together make a text that opens nothing.
 */
export function textsIn(jar: CookieJar): readonly string[] {
  const values = jar.values()
  const [only] = values
  if (only === undefined) return NONE
  // The usual case. What is none of ours is refused when it is opened.
  if (values.length === 1 && only.length <= MAX_COOKIE && countOf(only) === 1) return [only.slice(1)]
  const texts = chunks(values).flatMap((first) => {
    const count = countOf(first)
    let joined = count === 0 ? [] : [first.slice(1)]
    for (let n = 1; n < count; n++) {
      const next = chunks(jar.values(suffix(n)))
      joined = joined.flatMap((text) => next.map((chunk) => text + chunk))
    }
    return joined
  })
  return texts.slice(0, MAX_CANDIDATES)
}

/** The text of chunks in a row, as one value; `undefined` when it is none. */
export function textOf(value: string): string | undefined {
  return value.length <= MAX_COOKIES && CHUNK.test(value) && countOf(value) > 0 ? value.slice(1) : undefined
}

const NONE: readonly string[] = []

const CHUNK = /^[\w-]+$/

/** The values of one chunk that could be ours, which costs next to nothing to say. */
function chunks(values: readonly string[]): string[] {
  const chunks = values.filter((value) => value.length <= MAX_COOKIE && CHUNK.test(value))
  return [...new Set(chunks)].slice(0, MAX_CANDIDATES)
}

/** The number of chunks that the first one says there are; 0 when it says nothing of the kind. */
function countOf(first: string): number {
  const count = first.charCodeAt(0) - 48
  return count >= 1 && count <= MAX_CHUNKS ? count : 0
}

function suffix(n: number): string {
  return n === 0 ? '' : `.${n}`
}
