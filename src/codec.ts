import { defaultStringifyOperations, parse, stringify } from 'devalue'
import { SessionError } from './errors.ts'

/** A value as JSON. Plain ones are JSON by themselves; rich ones (Date, Map, BigInt, cycles, ...) a string that `devalue` wrote. */
export interface Encoded {
  readonly json: string
  readonly rich: boolean
}

/** Whether JSON does not keep the value exactly as it is. */
export function isRich(value: unknown): boolean {
  return !isPlain(value, 0)
}

// Beyond it lies a cycle, most often: devalue can tell.
const MAX_DEPTH = 100

/**
 * Writes a value as JSON.
 * @param rich - As `isRich` says of it.
 * @param name - What the value is called in an error, as its path begins: the session's key.
 * @throws SessionError `ERR_SESSION_NOT_SERIALIZABLE` naming the path of what would not survive.
 */
export function encode(value: unknown, rich: boolean, name: string): string {
  return rich ? encodeRich(value, name) : JSON.stringify(value)
}

function encodeRich(value: unknown, name: string): string {
  if (value === undefined) throw refusal(name, 'undefined; use delete() to remove a key')
  try {
    const text = stringify(value, undefined, { operations: { tagOf, viewInfo } })
    // What can be written but not read again (nesting that overflows the stack) would cost the visitor the session.
    parse(text)
    return JSON.stringify(text)
  } catch (cause) {
    if (cause instanceof RangeError) throw refusal(name, 'nested too deeply')
    const path = cause instanceof Error && 'path' in cause ? String(cause.path) : ''
    const bad = cause instanceof Error && 'value' in cause ? cause.value : value
    const named = Array.isArray(bad) ? namedProperty(bad, Object.keys(bad)) : undefined
    if (named !== undefined) throw refusal(`${name}${path}.${named}`, 'a named property of an array')
    throw refusal(name + path, kind(bad))
  }
}

export function decode({ json, rich }: Encoded): unknown {
  const value: unknown = JSON.parse(json)
  return rich ? parse(String(value)) : value
}

/** Whether JSON keeps the value exactly as it is. Asked of each object that a request was shown: it makes nothing. */
function isPlain(value: unknown, depth: number): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  // JSON has no NaN, no infinities and no negative zero.
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object' || depth > MAX_DEPTH) return false
  return Array.isArray(value) ? isPlainArray(value, depth + 1) : isPlainObject(value, depth + 1)
}

function isPlainArray(value: unknown[], depth: number): boolean {
  if (Object.getPrototypeOf(value) !== Array.prototype) return false
  // A hole is `undefined`, which is not plain; so more names than elements are those that are no indices.
  for (const item of value) if (!isPlain(item, depth)) return false
  return Object.keys(value).length === value.length
}

function isPlainObject(value: object, depth: number): boolean {
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  for (const name in value) {
    // Whoever merges such an object later would change the prototype of all objects. devalue refuses it.
    if (name === '__proto__' || !isPlain(value[name as never], depth)) return false
  }
  return Object.getOwnPropertySymbols(value).length === 0
}

/**
 * What devalue asks each object for. It would drop the named properties of an array, and make a plain Map of an instance
 * of a class that extends Map: so such an object is none of its kinds to it.
 */
function tagOf(value: unknown): string {
  if (Array.isArray(value) && namedProperty(value, Object.keys(value)) !== undefined) return 'Object'
  const tag = defaultStringifyOperations.tagOf(value)
  return isSubclassed(value, tag) ? 'Object' : tag
}

/** By the name, since built-in classes of another realm are others. A Buffer is kept as the bytes that it is. */
function isSubclassed(value: unknown, tag: string): boolean {
  if (ArrayBuffer.isView(value)) return false
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name
  return tag !== 'Object' && tag.split('.').at(-1) !== name
}

/**
 * The bytes that a view shows. devalue would write the whole buffer behind it, which may be a pool that holds other
 * people's bytes.
 */
function viewInfo(view: ArrayBufferView): ReturnType<typeof defaultStringifyOperations.viewInfo> {
  const info = defaultStringifyOperations.viewInfo(view)
  const { buffer, byteOffset, byteLength, bufferByteLength } = info
  if (byteLength === bufferByteLength) return info
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength)
  return { ...info, buffer: bytes, byteOffset: 0, bufferByteLength: byteLength }
}

/** A name that is no index: those come last. Counting would not do, since an array may have holes. */
function namedProperty(array: unknown[], names: string[]): string | undefined {
  const last = names.at(-1)
  const index = Number(last) >>> 0
  return String(index) === last && index < array.length ? undefined : last
}

function refusal(path: string, what: string): SessionError {
  return new SessionError('ERR_SESSION_NOT_SERIALIZABLE', `A session cannot keep "${path}": it is ${what}`)
}

function kind(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value === 'object' && value !== null && 'then' in value) return 'a promise; await it first'
  if (typeof value !== 'object' || value === null) return `a ${typeof value} that cannot be stored`
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name
  if (name !== 'Object' && name) return `an instance of ${name}`
  return 'an object with symbol or __proto__ keys'
}
