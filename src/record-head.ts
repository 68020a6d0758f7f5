/** A secret that opens the session: its hash and, when the data is sealed, the data key wrapped by the secret. */
export interface SecretHash {
  readonly hash: string
  readonly wrap: string | undefined
}

/** Lifetimes that this session has of its own, in milliseconds. */
export interface Timeouts {
  readonly idle: number | undefined
  readonly absolute: number | undefined
  readonly persistent: boolean | undefined
}

export const NO_TIMEOUTS: Timeouts = { idle: undefined, absolute: undefined, persistent: undefined }

/** What a session's text begins with. */
export interface RecordHead {
  readonly secrets: readonly SecretHash[]
  readonly createdAt: number
  /** When it was last written, which a use does once per extension interval. */
  readonly seenAt: number
  /** Drawn anew for each write: tells one's own write from that of another process. `undefined` before the first. */
  readonly mark: string | undefined
  readonly authenticatedAt: number | undefined
  readonly timeouts: Timeouts
}

/*
What a session's text begins with, on one line, since every session carries it:

  1<secrets> <created> <used> <mark> [a<authenticated> ][i<idle> ][t<absolute> ][p<0 or 1> ]

The secrets are apart by commas: `<hash>`, or `<hash>:<wrap>`. Numbers are whole milliseconds in base 36; `used` and
`authenticated` count from `created`. A mark of `-` is none.
*/

/** What stands before the data: all but that, and the user, who stands beside the text. */
export function encodeHead({
  secrets,
  createdAt,
  seenAt,
  mark,
  authenticatedAt,
  timeouts,
}: RecordHead): string {
  const { idle, absolute, persistent } = timeouts
  const first = secrets[0]
  const hashes = secrets.length === 1 && first ? encodeSecret(first) : secrets.map(encodeSecret).join(',')
  let head = `1${hashes} ${number(createdAt)} ${number(seenAt - createdAt)} ${mark ?? '-'} `
  if (authenticatedAt !== undefined) head += `a${number(authenticatedAt - createdAt)} `
  if (idle !== undefined) head += `i${number(idle)} `
  if (absolute !== undefined) head += `t${number(absolute)} `
  if (persistent !== undefined) head += persistent ? 'p1 ' : 'p0 '
  return head
}

function encodeSecret({ hash, wrap }: SecretHash): string {
  return wrap === undefined ? hash : `${hash}:${wrap}`
}

function number(value: number): string {
  return Math.round(value).toString(36)
}

/**
 * Reads what `encodeHead` wrote, and tells its length.
 * @throws When the text does not begin so.
 */
export function decodeHead(text: string): RecordHead & { length: number } {
  if (!text.startsWith('1')) throw notOurs()
  const secrets = field(text, 1)
  let at = 2 + secrets.length
  const created = field(text, at)
  at += created.length + 1
  const used = field(text, at)
  at += used.length + 1
  const mark = field(text, at)
  at += mark.length + 1
  const createdAt = parse(created)
  let more: More | undefined
  while (!isBody(text.charCodeAt(at))) {
    const one = field(text, at)
    const name = OPTIONAL[one.charAt(0)]
    if (!name) throw notOurs()
    more ??= {}
    more[name] = parse(one.slice(1))
    at += one.length + 1
  }
  return {
    secrets: decodeSecrets(secrets),
    createdAt,
    seenAt: createdAt + parse(used),
    mark: mark === '-' ? undefined : mark,
    authenticatedAt: more?.authenticated === undefined ? undefined : createdAt + more.authenticated,
    timeouts: timeoutsOf(more),
    length: at,
  }
}

/** What few sessions have. */
type More = { [Name in 'authenticated' | 'idle' | 'absolute' | 'persistent']?: number }

function timeoutsOf({ idle, absolute, persistent }: More = {}): Timeouts {
  if (idle === undefined && absolute === undefined && persistent === undefined) return NO_TIMEOUTS
  return { idle, absolute, persistent: persistent === undefined ? undefined : persistent === 1 }
}

const OPTIONAL: Readonly<Record<string, keyof More>> = {
  a: 'authenticated',
  i: 'idle',
  t: 'absolute',
  p: 'persistent',
}

/** What stands between there and the next space. */
function field(text: string, start: number): string {
  const end = text.indexOf(' ', start)
  if (end <= start) throw notOurs()
  return text.slice(start, end)
}

/** Whether the body begins with that character: an object, a list, or what is sealed. */
function isBody(char: number): boolean {
  return char === 0x7b || char === 0x5b || char === 0x7e
}

function decodeSecrets(text: string): readonly SecretHash[] {
  return text.includes(',') ? text.split(',').map(decodeSecret) : [decodeSecret(text)]
}

function decodeSecret(text: string): SecretHash {
  const end = text.indexOf(':')
  return end < 0 ? { hash: text, wrap: undefined } : { hash: text.slice(0, end), wrap: text.slice(end + 1) }
}

function parse(digits: string): number {
  const value = Number.parseInt(digits, 36)
  if (Number.isNaN(value)) throw notOurs()
  return value
}

function notOurs(): Error {
  return new Error('The entry is no session of this version')
}
