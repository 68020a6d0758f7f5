import { aessiv } from '@noble/ciphers/aes.js'
import { NativeAesSiv } from './native-aes-siv.ts'

/** AES-SIV with a key of 64 bytes (AEAD_AES_SIV_CMAC_512, RFC 5297) and one text of associated data, that of the constructor. */
export interface AesSiv {
  /** 16 bytes of authentication, then the encrypted text. */
  seal(text: Uint8Array): Uint8Array
  /** The text. Throws when key, associated data or a single bit differ. */
  open(sealed: Uint8Array): Uint8Array
}

export const KEY_BYTES = 64

/** By the AES of the platform where it has one, else by that of @noble/ciphers: the same bytes. */
export function aesSiv(key: Uint8Array, associated: Uint8Array): AesSiv {
  return nativeAesSiv(key, associated) ?? portableAesSiv(key, associated)
}

export function portableAesSiv(key: Uint8Array, associated: Uint8Array): AesSiv {
  return {
    seal: (text) => aessiv(key, associated).encrypt(text),
    open: (sealed) => aessiv(key, associated).decrypt(sealed),
  }
}

/** `undefined` where the platform has no AES, or one that is not to be used as Node's: whoever emulates it may not know how. */
function nativeAesSiv(key: Uint8Array, associated: Uint8Array): AesSiv | undefined {
  // No import, so that it runs anywhere.
  const { process } = globalThis as { process?: Partial<NodeJS.Process> }
  const createCipheriv = process?.getBuiltinModule?.('node:crypto')?.createCipheriv
  const pool = process?.getBuiltinModule?.('node:buffer')?.Buffer
  if (!createCipheriv || !pool) return undefined
  const allocate = (bytes: number): Uint8Array => {
    const { buffer, byteOffset } = pool.allocUnsafe(bytes)
    return new Uint8Array(buffer, byteOffset, bytes)
  }
  try {
    const native = new NativeAesSiv({ createCipheriv, allocate }, key, associated)
    const portable = portableAesSiv(key, associated)
    return PROBES.every((probe) => same(native.seal(probe), portable.seal(probe))) ? native : undefined
  } catch {
    return undefined
  }
}

/** Two, since the second one shows whether the first has left anything behind; with and without a block that is cut. */
const PROBES = [new Uint8Array(48), new Uint8Array(55).fill(7)]

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
