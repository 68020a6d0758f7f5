import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fromBase64Url, toBase64Url } from '../../src/base64url.ts'

// Short ones and long ones, which Node's own reads and writes where there is one.
const MAX = 300

it('writes bytes as Node does, and reads them again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: MAX, size: 'max' }), (bytes) => {
      const text = toBase64Url(bytes)
      expect(text).toBe(Buffer.from(bytes).toString('base64url'))
      expect(fromBase64Url(text)).toEqual(bytes)
    }),
  )
})

it('takes bytes out of the middle of others, and nothing of what stands beside them', () => {
  const place = fc.nat(MAX)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: MAX, size: 'max' }), place, place, (bytes, a, b) => {
      const [start, end] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)]
      // In the middle of a larger memory, too.
      const view = new Uint8Array([9, ...bytes, 9]).subarray(1, -1)
      expect(toBase64Url(view, start, end)).toBe(toBase64Url(bytes.slice(start, end)))
    }),
  )
})

it.each([0, 400])(
  'refuses what is no base64url: another alphabet, padding, a letter too few, behind %i letters',
  (length) => {
    const before = 'B'.repeat(length)
    const foreign = ['AA==', 'A+AA', 'A/AA', 'A AA', 'AAé', 'A\u0141AA', 'AA\n', '\0AAA', 'A=AA']
    for (const text of ['A', 'AAAAA', ...foreign])
      expect(() => fromBase64Url(before + text), text).toThrow(TypeError)
    for (const text of foreign) expect(() => fromBase64Url(text + before), text).toThrow(TypeError)
  },
)
