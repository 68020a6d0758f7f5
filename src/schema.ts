import type { StandardSchemaV1 } from '@standard-schema/spec'
import { SessionError } from './errors.ts'
import type { SessionRecord } from './record.ts'

/**
 * The record without the values that do not fit the schema, or an error where those are not to be dropped.
 *
 * A session fills up key by key, so a key that is not there is never a fault, whatever the schema requires.
 */
export async function checked(
  record: SessionRecord,
  schema: StandardSchemaV1,
  onInvalid: 'drop' | 'error',
): Promise<SessionRecord> {
  if (record.data.size === 0) return record
  const values = Object.fromEntries(Array.from(record.data, ([key, slot]) => [key, slot.copy()]))
  const { issues = [] } = await schema['~standard'].validate(values)
  const names = issues.map(topKey)
  const faulty = names.filter((name) => name === undefined || record.data.has(name))
  if (faulty.length === 0) return record
  if (onInvalid === 'error') {
    const keys = faulty.map((name) => (name === undefined ? 'the whole' : JSON.stringify(name))).join(', ')
    throw new SessionError('ERR_SESSION_INVALID', `The session's data does not fit the schema: ${keys}`)
  }
  const dropped = faulty.includes(undefined) ? [...faulty, ...(await culprits(values, schema))] : faulty
  return { ...record, data: new Map(Array.from(record.data).filter(([key]) => !dropped.includes(key))) }
}

/**
 * The keys behind a fault that names none, such as one that the schema no longer knows: those that are at fault alone,
 * too. Where the fault lies in how values go together, all of them.
 */
async function culprits(values: Record<string, unknown>, schema: StandardSchemaV1): Promise<string[]> {
  const keys = Object.keys(values)
  const faults = keys.map(async (key) => {
    const { issues = [] } = await schema['~standard'].validate({ [key]: values[key] })
    return issues.some((issue) => topKey(issue) === undefined)
  })
  const atFault = await Promise.all(faults)
  return atFault.includes(true) ? keys.filter((_, i) => atFault[i]) : keys
}

function topKey({ path }: StandardSchemaV1.Issue): string | undefined {
  const first = path?.[0]
  if (first === undefined) return undefined
  return String(typeof first === 'object' ? first.key : first)
}
