import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Entry } from '../store.ts'

/** One state of an entry, as its token's name tells it: `<parent>.<id>.<expiresAt>.<user's hash, or none>`. */
export interface State {
  readonly name: string
  /** The state it replaced: tells the data of a coming state from the leftovers of one that was too late. */
  readonly parent: string
  readonly id: string
  readonly expiresAt: number
  readonly user: string
}

const TOKEN = /^token\.(([0-9a-f]{16})\.([0-9a-f]{16})\.(\d{1,16})\.([0-9a-f]{64}|none))$/
const DATA = /^data\.([0-9a-f]{16})\.([0-9a-f]{16})$/
const HASH = /^[0-9a-f]{64}$/
/** Stands for the user of an entry that has none. */
export const NOBODY = 'none'
/** Stands for the parent of a first state. */
export const NO_PARENT: string = '0'.repeat(16)

/** What keys and users are called in the file system, which may know neither their letters nor their case. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** A new state, with an id of its own. */
export function newState(parent: string, { expiresAt, userId }: Entry): State {
  const id = randomBytes(8).toString('hex')
  const user = userId === undefined ? NOBODY : sha256(userId)
  const instant = Math.max(0, Math.ceil(expiresAt))
  return { name: `${parent}.${id}.${instant}.${user}`, parent, id, expiresAt: instant, user }
}

/** The state that the name of a token tells, or `undefined` for any other name. */
export function parseToken(file: string): State | undefined {
  const [, name, parent, id, expiresAt, user] = TOKEN.exec(file) ?? []
  if (!name || !parent || !id || !user) return undefined
  return { name, parent, id, expiresAt: Number(expiresAt), user }
}

export function tokenFile(folder: string, state: State): string {
  return join(folder, `token.${state.name}`)
}

export function dataFile(folder: string, { parent, id }: State): string {
  return join(folder, `data.${parent}.${id}`)
}

/** The parent and the id of the state whose data file has that name, or `undefined` for any other name. */
export function parseData(file: string): { parent: string; id: string } | undefined {
  const [, parent, id] = DATA.exec(file) ?? []
  return parent && id ? { parent, id } : undefined
}

/** Whether a name is one that {@link sha256} makes. */
export function isHash(name: string): boolean {
  return HASH.test(name)
}
