import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fromBase64Url, toBase64Url } from '../../src/base64url.ts'

it('writes bytes as Node does, and reads them again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = toBase64Url(bytes)
      expect(text).toBe(Buffer.from(bytes).toString('base64url'))
      expect(fromBase64Url(text)).toEqual(bytes)
    }),
  )
})

it('takes bytes out of the middle of others, and nothing of what stands beside them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(40), fc.nat(40), (bytes, a, b) => {
      const [start, end] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)]
      expect(toBase64Url(bytes, start, end)).toBe(toBase64Url(bytes.slice(start, end)))
    }),
  )
})

it('refuses what is no base64url: another alphabet, padding, a letter too few', () => {
  for (const text of ['A', 'AAAAA', 'AA==', 'A+AA', 'A/AA', 'A AA', 'AAé', 'A\u0141AA', 'AA\n', '\0AAA']) {
    expect(() => fromBase64Url(text)).toThrow(TypeError)
  }
})
