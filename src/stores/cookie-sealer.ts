import { type AesSiv, aesSiv } from '../aes-siv.ts'
import { fromBase64Url, toBase64Url } from '../base64url.ts'
import { KEY_ID_LENGTH, type SealingKey } from './cookie-keys.ts'

/** Seals bytes into the text of cookies, `<key id><sealed>`, and opens such texts. */
export class CookieSealer {
  readonly #keys: readonly SealingKey[]
  /** The ciphers of all keys by the name of the cookie: one or two, since each site has its own. */
  readonly #ciphers = new Map<string, readonly AesSiv[]>()

  constructor(keys: readonly SealingKey[]) {
    this.#keys = keys
  }

  /** Seals with the first key. @param name - The cookie's name: under another one the text does not open. */
  seal(bytes: Uint8Array, name: string): string {
    const [key] = this.#keys
    const [cipher] = this.#ciphersOf(name)
    if (!key || !cipher) throw new Error('There is no key')
    return key.id + toBase64Url(cipher.seal(bytes))
  }

  /** The bytes, or `undefined` when no key of that id sealed this under this name. */
  open(text: string, name: string): Uint8Array | undefined {
    for (const [i, { id }] of this.#keys.entries()) {
      if (!text.startsWith(id)) continue
      try {
        return this.#ciphersOf(name)[i]?.open(fromBase64Url(text.slice(KEY_ID_LENGTH)))
      } catch {
        // Whoever sent it hears nothing of why.
      }
    }
    return undefined
  }

  #ciphersOf(name: string): readonly AesSiv[] {
    const known = this.#ciphers.get(name)
    if (known) return known
    const purpose = new TextEncoder().encode(`session cookie ${name}`)
    const ciphers = this.#keys.map(({ bytes }) => aesSiv(bytes, purpose))
    this.#ciphers.set(name, ciphers)
    return ciphers
  }
}
