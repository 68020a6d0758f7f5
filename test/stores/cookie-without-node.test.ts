import { aessiv } from '@noble/ciphers/aes.js'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'

const builtin = process.getBuiltinModule.bind(process) as (id: string) => object | undefined
const [key, purpose] = [new Uint8Array(64).fill(3), new Uint8Array([7])]
const text = new Uint8Array(17).map((_, i) => i)
const KEYS = [Buffer.from(new Uint8Array(32).map((_, i) => i * i * 7)).toString('base64url')]

/** The modules as a platform has them on which these parts of Node are others, or missing. */
async function on(parts: Record<string, object | undefined>) {
  vi.resetModules()
  vi.spyOn(process, 'getBuiltinModule').mockImplementation(
    (id: string) => (id in parts ? parts[id] : builtin(id)) as never,
  )
  const [base64url, aesSiv, native, cookie, index] = await Promise.all([
    import('../../src/base64url.ts'),
    import('../../src/aes-siv.ts'),
    import('../../src/native-aes-siv.ts'),
    import('../../src/stores/cookie.ts'),
    import('../../src/index.ts'),
  ])
  return { ...base64url, ...aesSiv, ...native, ...cookie, ...index }
}

const NOTHING_OF_NODE = { 'node:crypto': undefined, 'node:buffer': undefined }

afterEach(() => {
  vi.restoreAllMocks()
})

it('reads and writes base64url as with Node, and refuses the same', async () => {
  const [alone, beside] = [await on(NOTHING_OF_NODE), await on({})]
  const outcome = (read: (text: string) => Uint8Array, letters: string) => {
    try {
      return read(letters)
    } catch (error) {
      return String(error)
    }
  }
  const letter = fc.constantFrom(...'ABab019-_', '+', '/', '=', '\u0141', '\n')
  const mostly = fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...'ABab019-_') }, letter)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400, size: 'max' }), (bytes) => {
      expect(alone.toBase64Url(bytes)).toBe(beside.toBase64Url(bytes))
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: mostly, minLength: 100, maxLength: 200 }), (letters) => {
      expect(outcome(alone.fromBase64Url, letters)).toEqual(outcome(beside.fromBase64Url, letters))
    }),
  )
})

it('opens the cookies that were sealed with Node, and the other way round', async () => {
  const [alone, beside] = [await on(NOTHING_OF_NODE), await on({})]
  const sites = [alone, beside].map(({ createSessions, cookieStore }) =>
    createSessions<{ n: number }>({ store: cookieStore({ keys: KEYS }), cookie: { secure: false } }),
  )
  let cookie: string | undefined
  for (const [i, site] of [...sites, ...sites].entries()) {
    const visit = site.open({ cookie, secure: false })
    const session = await visit.session()
    expect(session.update('n', (n = 0) => n + 1)).toBe(i + 1)
    await visit.commit()
    cookie = visit.outcome.setCookies[0]?.split(';')[0]
  }
})

describe('an AES of the platform', () => {
  const cipher = (update: (blocks: Uint8Array) => Uint8Array) => () => {
    const fake = { setAutoPadding: () => fake, update }
    return fake
  }

  it('is taken when it is as Node has it', async () => {
    const { aesSiv, NativeAesSiv } = await on({})
    expect(aesSiv(key, purpose)).toBeInstanceOf(NativeAesSiv)
  })

  it.each<[string, object | undefined]>([
    ['is missing', undefined],
    ['is missing in its crypto', {}],
    ['cannot be made', { createCipheriv: () => fail() }],
    ['keeps blocks back', { createCipheriv: cipher(() => new Uint8Array()) }],
    ['makes other bytes', { createCipheriv: cipher((blocks) => blocks.map(() => 1)) }],
  ])('that %s is not taken', async (_, crypto) => {
    const { aesSiv, NativeAesSiv } = await on({ 'node:crypto': crypto })
    const portable = aesSiv(key, purpose)
    expect(portable).not.toBeInstanceOf(NativeAesSiv)
    expect(portable.open(aessiv(key, purpose).encrypt(text))).toEqual(text)
  })

  function fail(): never {
    throw new Error('Not implemented')
  }
})
