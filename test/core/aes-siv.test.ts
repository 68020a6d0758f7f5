import { aessiv } from '@noble/ciphers/aes.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aesSiv, portableAesSiv } from '../../src/aes-siv.ts'

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))
const keys = fc.uint8Array({ minLength: 64, maxLength: 64 })
const associated = fc.uint8Array({ maxLength: 40 })

describe('AES-SIV by the platform, where it has an AES,', () => {
  it('makes the same bytes as the portable one, text after text, and each opens what the other sealed', () => {
    const texts = fc.array(fc.uint8Array({ maxLength: 100 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(keys, associated, texts, (key, purpose, all) => {
        const [one, other] = [aesSiv(key, purpose), portableAesSiv(key, purpose)]
        for (const text of all) {
          const sealed = one.seal(text)
          expect(sealed).toEqual(other.seal(text))
          expect(one.open(sealed)).toEqual(text)
          expect(other.open(sealed)).toEqual(text)
        }
      }),
    )
  })

  it.each([0, 1, 15, 16, 17, 31, 32, 33, 4095, 4096, 4097, 20_000])('does so with %i bytes', (length) => {
    const [key, purpose] = [new Uint8Array(64).map((_, i) => i * 7), hex('01')]
    const text = new Uint8Array(length).map((_, i) => i)
    const [one, other] = [aesSiv(key, purpose), portableAesSiv(key, purpose)]
    expect(one.seal(text)).toEqual(other.seal(text))
    expect(one.open(other.seal(text))).toEqual(text)
  })

  it('refuses the same forgeries, and goes on as if nothing had come', () => {
    const forged = fc.record({
      key: keys,
      purpose: associated,
      text: fc.uint8Array({ maxLength: 100 }),
      place: fc.nat(200),
      bit: fc.integer({ min: 0, max: 7 }),
      cut: fc.nat(20),
    })
    fc.assert(
      fc.property(forged, ({ key, purpose, text, place, bit, cut }) => {
        const ciphers = [aesSiv(key, purpose), portableAesSiv(key, purpose)]
        const sealed = portableAesSiv(key, purpose).seal(text)
        const flipped = sealed.with(place % sealed.length, (sealed[place % sealed.length] ?? 0) ^ (1 << bit))
        const elsewhere = portableAesSiv(key, new Uint8Array([...purpose, 0])).seal(text)
        const forgeries = [flipped, sealed.subarray(0, sealed.length - 1 - cut), elsewhere]
        for (const cipher of ciphers) {
          for (const forgery of forgeries) expect(() => cipher.open(forgery)).toThrow()
          expect(cipher.open(sealed)).toEqual(text)
        }
      }),
    )
  })

  it('refuses what is shorter than the authentication', () => {
    const cipher = aesSiv(new Uint8Array(64), new Uint8Array())
    for (let length = 0; length < 16; length++) {
      expect(() => cipher.open(new Uint8Array(length))).toThrow()
    }
  })
})

it('the portable AES-SIV is that of RFC 5297, appendix A.1', () => {
  const key = hex('fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff')
  const purpose = hex('101112131415161718191a1b1c1d1e1f2021222324252627')
  const sealed = hex('85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c')
  expect(aessiv(key, purpose).encrypt(hex('112233445566778899aabbccddee'))).toEqual(sealed)
})
