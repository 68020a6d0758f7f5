import { inspect as show, stripVTControlCharacters } from 'node:util'
import { isKey, parseId } from '../id.ts'
import { decodeRecord, type SessionRecord } from '../record.ts'
import type { StoredEntry } from '../store.ts'
import { type Command, Failure, UsageError } from './command.ts'
import { STORE_URLS, withStore } from './store.ts'

export const inspect: Command = {
  summary: 'Shows what is kept for one session',
  positionals: ['store-url', 'handle'],
  options: { data: { type: 'boolean' } },
  help: `${STORE_URLS}

The handle is the session's public name, as lists and logs show it: what stands before the dot in its cookie.

Options:
  --data  Shows the values too, not only their keys`,
  async run({ positionals: [url = '', handle = ''], values }) {
    expectHandle(handle)
    const entry = await withStore(url, (store) => store.read(handle))
    if (!entry) throw new Failure('There is no session of that handle: it has ended, or never was')
    const record = decoded(entry, handle)
    const data = values['data'] === true ? record.data : undefined
    const facts = factsOf(record, entry, handle)
    return { text: textOf(facts, data), json: data ? { ...facts, data: jsonOf(data) } : facts }
  },
}

type Data = SessionRecord['data']

/** What there is to say about a session but its values. No secret and no hash of one. */
interface Facts {
  handle: string
  userId: string | null
  createdAt: number
  authenticatedAt: number | null
  lastSeenAt: number
  expiresAt: number
  /** The bytes of the entry's value. */
  size: number
  sealed: boolean
  keys: string[] | null
  flashes: number | null
}

function factsOf(record: SessionRecord, entry: StoredEntry, handle: string): Facts {
  return {
    handle,
    userId: entry.userId ?? null,
    createdAt: record.createdAt,
    authenticatedAt: record.authenticatedAt ?? null,
    lastSeenAt: record.seenAt,
    expiresAt: entry.expiresAt,
    size: Buffer.byteLength(entry.value),
    sealed: record.closed,
    keys: record.closed ? null : [...record.data.keys()],
    flashes: record.closed ? null : record.flashes.length,
  }
}

function textOf(facts: Facts, data: Data | undefined): string {
  const { userId, authenticatedAt, keys, flashes } = facts
  const lines = [
    ['handle', facts.handle],
    ['user', userId === null ? 'none' : printable(userId)],
    ['created', instant(facts.createdAt)],
    ['authenticated', authenticatedAt === null ? 'never' : instant(authenticatedAt)],
    ['last seen', instant(facts.lastSeenAt)],
    ['expires', instant(facts.expiresAt)],
    ['size', `${facts.size} bytes`],
    [
      'keys',
      keys ? keys.map(printable).join(', ') || 'none' : "sealed: only the visitor's cookie opens them",
    ],
    ['flashes', flashes === null ? 'sealed' : String(flashes)],
  ]
  for (const [key, slot] of data ?? []) {
    lines.push([
      `data ${printable(key)}`,
      show(slot.copy(), { depth: null, maxArrayLength: null, compact: 3 }),
    ])
  }
  const width = Math.max(...lines.map(([name = '']) => name.length))
  return lines.map(([name = '', text]) => `${name.padEnd(width)}  ${text}`).join('\n')
}

/** The values as JSON can hold them; those that it cannot (dates, maps, ...) as Node prints them. */
function jsonOf(data: Data): Record<string, unknown> {
  return Object.fromEntries(
    Array.from(data, ([key, slot]) => [key, slot.rich ? show(slot.copy(), { depth: null }) : slot.copy()]),
  )
}

function decoded(entry: StoredEntry, handle: string): SessionRecord {
  try {
    return decodeRecord(entry, handle, undefined)
  } catch {
    // Without the cause: it may quote the entry.
    throw new Failure('What is kept under that handle is no session that this version of Sojourn can read')
  }
}

function expectHandle(handle: string): void {
  if (isKey(handle)) return
  if (parseId(handle)) {
    throw new UsageError(
      "that is a session's whole id, which opens it: give what stands before the dot alone",
    )
  }
  throw new UsageError('<handle> must be 22 letters, digits, "-" or "_"')
}

function instant(time: number): string {
  return new Date(time).toISOString()
}

/** Text that came from outside, without what would steer the terminal. */
function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/\p{Cc}/gu, '?')
}
