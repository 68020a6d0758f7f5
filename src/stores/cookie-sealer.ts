import { sealBytes, unsealBytes } from '../seal.ts'
import { KEY_ID_LENGTH, type SealingKey } from './cookie-keys.ts'

/** Seals bytes into the text of cookies, `<key id><sealed>`, and opens such texts. */
export class CookieSealer {
  readonly #keys: readonly SealingKey[]

  constructor(keys: readonly SealingKey[]) {
    this.#keys = keys
  }

  /** Seals with the first key. @param name - The cookie's name: under another one the text does not open. */
  seal(bytes: Uint8Array, name: string): string {
    const [key] = this.#keys
    if (!key) throw new Error('There is no key')
    return key.id + sealBytes(bytes, key.bytes, context(name))
  }

  /** The bytes, or `undefined` when no key of that id sealed this under this name. */
  open(text: string, name: string): Uint8Array | undefined {
    const id = text.slice(0, KEY_ID_LENGTH)
    for (const key of this.#keys) {
      if (key.id !== id) continue
      try {
        return unsealBytes(text.slice(KEY_ID_LENGTH), key.bytes, context(name))
      } catch {
        // Whoever sent it hears nothing of why.
      }
    }
    return undefined
  }
}

function context(name: string): string {
  return `session cookie ${name}`
}
