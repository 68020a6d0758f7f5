import { notJson, readMembers } from './members.ts'
import { Slot } from './slot.ts'

/** A value for the next page. The number tells it from the session's others: a request names those it has taken. */
export interface Flash {
  readonly number: number
  readonly key: string
  readonly slot: Slot
}

/** What a session holds. */
export interface RecordBody {
  readonly data: ReadonlyMap<string, Slot>
  readonly flashes: readonly Flash[]
}

/** Number, key, value, and 1 when the value is text of `devalue`. */
type WireFlash = [number, string, unknown, 1?]

export const EMPTY_BODY: RecordBody = { data: new Map(), flashes: [] }

/**
 * Data and flashes as JSON: the data alone, an object; or a list of the data, the keys of those values that are text of
 * `devalue`, and the flashes. Joined by hand, since the values are JSON texts already: nothing unchanged is written twice.
 */
export function encodeBody({ data, flashes }: RecordBody): string {
  // Not by `join`, which takes three times as long: what is put together so is copied once, by whoever looks through it.
  let members = ''
  let isRich = false
  for (const slot of data.values()) {
    if (members !== '') members += ','
    members += slot.member
    isRich ||= slot.rich
  }
  if (!isRich && flashes.length === 0) return `{${members}}`
  const rich = JSON.stringify([...data.keys()].filter((name) => data.get(name)?.rich))
  return `[{${members}},${rich}${flashes.length > 0 ? `,[${flashes.map(encodeFlash).join(',')}]` : ''}]`
}

function encodeFlash({ number, key, slot }: Flash): string {
  return `[${number},${JSON.stringify(key)},${slot.json}${slot.rich ? ',1' : ''}]`
}

/**
 * Reads what `encodeBody` wrote, from there on. The values are not parsed before somebody asks for them.
 * @throws Error without a word of the data, which may be on its way to a log.
 */
export function decodeBody(text: string, start = 0): RecordBody {
  const data = new Map<string, Slot>()
  const isList = text[start] === '['
  const end = readMembers(text, isList ? start + 1 : start, (name, member, valueAt) => {
    data.set(name, new Slot(member, valueAt, false))
  })
  if (!isList) {
    if (end !== text.length) throw notJson()
    return { data, flashes: EMPTY_BODY.flashes }
  }
  const [rich, flashes] = restOf(text, end)
  for (const name of rich) {
    const slot = data.get(name)
    if (!slot) throw notJson()
    data.set(name, new Slot(slot.member, slot.start, true))
  }
  return { data, flashes }
}

/** What follows the data in a list. */
function restOf(text: string, start: number): [rich: string[], flashes: readonly Flash[]] {
  const [, rich, flashes = []] = parse(`[0${text.slice(start)}`) as [0, string[], WireFlash[]?]
  return [
    rich,
    flashes.map(([number, key, value, isRich]) => ({
      number,
      key,
      slot: Slot.ofJson(JSON.stringify(value), isRich === 1, key),
    })),
  ]
}

/** Without the parser's own error, which quotes what it cannot read. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw notJson()
  }
}
