import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readMembers } from '../../src/members.ts'

function membersOf(text: string): [string, string][] {
  const found: [string, string][] = []
  const end = readMembers(text, 0, (name, member, valueAt) => {
    expect(JSON.parse(member.slice(0, valueAt - 1))).toBe(name)
    found.push([name, member.slice(valueAt)])
  })
  expect(end).toBe(text.length)
  return found
}

describe('the members of a JSON object', () => {
  it('are told as they stand there, whatever they hold', () => {
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.jsonValue({ stringUnit: 'binary' }))), (pairs) => {
        const members = pairs.map(([name, value]): [string, string] => [name, JSON.stringify(value)])
        const object = `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`
        expect(membersOf(object)).toEqual(members)
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    '',
    '{',
    '{"a"',
    '{"a":',
    '{"a":}',
    '{"a":1',
    '{"a":1,}',
    '{"a":1"b":2}',
    '{"a"x:1}',
    '{"a":"b}',
    '{"a":"b\\"}',
    '{"a":[1,{"b":2}',
    '{a:1}',
    '[1]',
    'null',
  ])('are none in %j', (text) => {
    expect(() => readMembers(text, 0, () => undefined)).toThrow('The entry is not JSON')
  })
})
