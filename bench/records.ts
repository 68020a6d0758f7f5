/*
 * What it takes to write a session as the text that stores keep, and to read it again.
 *   node bench/records.ts
 */
import { decodeRecord, encodeRecord, newRecord, type SessionRecord } from '../src/record.ts'
import { Slot } from '../src/slot.ts'
import { DATA } from './bench-data.ts'
import { compare } from './compare.ts'

const record: SessionRecord = {
  ...newRecord(1_767_225_600_000),
  secrets: [{ hash: 'h'.repeat(32), wrap: undefined }],
  seenAt: 1_767_225_700_000,
  mark: 'k3f2x',
  data: new Map(Object.entries(DATA).map(([name, value]) => [name, Slot.ofValue(value, name)])),
}
const value = encodeRecord(record, 'key')
const entry = { value, expiresAt: 0, userId: undefined }
console.log(`${value.length} characters: ${value}`)
await compare('A session as text', {
  write: () => encodeRecord(record, 'key'),
  read: () => decodeRecord(entry, 'key', undefined),
})
