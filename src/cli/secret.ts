import { toBase64Url } from '../base64url.ts'
import type { Command } from './command.ts'

// 32 bytes are the keys of every cipher that Sojourn uses.
const KEY_BYTES = 32

export const secret: Command = {
  summary: 'Prints a new random key',
  positionals: [],
  options: {},
  help: `The key is ${KEY_BYTES} random bytes as base64url text, for the environment of a server. Keep it out of the code.`,
  async run() {
    const key = toBase64Url(crypto.getRandomValues(new Uint8Array(KEY_BYTES)))
    return { text: key, json: { secret: key } }
  },
}
