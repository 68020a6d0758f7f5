import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

export interface Reader {
  id: string
  name: string
}

interface DemoReader extends Reader {
  /** Printed on the sign-in page, since this is a demonstration. The site itself compares with the hash alone. */
  password: string
  salt: string
  passwordHash: string
}

export const demoReaders: readonly DemoReader[] = [
  {
    id: 'ada',
    name: 'Ada',
    password: 'difference-engine',
    salt: 'vsmk3NiY541RyB00ZBfOKg',
    passwordHash: 'zvhGx6BkvO47J4m1jI9U8EOiDpC5DIdVldyNc-grS6M',
  },
  {
    id: 'grace',
    name: 'Grace',
    password: 'first-compiler',
    salt: 'koXU5BQNFGX3cVXHzYnvWQ',
    passwordHash: 'toVzxaVbpaSh-tEFLs8McwLSnxS27gDiiS0Bb-e3I0E',
  },
]

export function findReader(id: string | undefined): Reader | undefined {
  return demoReaders.find((reader) => reader.id === id)
}

/** The reader of that name, when the password is theirs. */
export async function verifyReader(name: string, password: string): Promise<Reader | undefined> {
  const reader = demoReaders.find(({ id }) => id === name)
  // An unknown name costs the same time as a wrong password: the answer's speed does not tell which names exist.
  const { salt, passwordHash } = reader ?? { salt: 'nobody', passwordHash: 'A'.repeat(43) }
  const hash = await hashPassword(password, Buffer.from(salt, 'base64url'), 32, cost)
  return timingSafeEqual(hash, Buffer.from(passwordHash, 'base64url')) ? reader : undefined
}

const hashPassword = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

// 32 MiB and about 0.1 s a try.
const cost: ScryptOptions = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 }
