import { expect, it } from 'vitest'
import { ByKey, type Keyed } from '../../src/by-key.ts'

interface Item extends Keyed<Item> {
  value: number
}

it.each([1, 8, 9, 10, 100])('finds each of %i things, and keeps their order', (many) => {
  const things = new ByKey<Item>()
  for (let value = 0; value < many; value++) {
    expect(things.of(`key ${value}`)).toBeUndefined()
    things.add({ key: `key ${value}`, next: undefined, value })
  }
  for (let value = 0; value < many; value++) expect(things.of(`key ${value}`)?.value).toBe(value)
  const inOrder: number[] = []
  for (let item = things.first; item; item = item.next) inOrder.push(item.value)
  expect(inOrder).toEqual(Array.from({ length: many }, (_, value) => value))

  things.forget()
  expect(things.of('key 0')).toBeUndefined()
  things.add({ key: 'key 0', next: undefined, value: -1 })
  expect(things.of('key 0')?.value).toBe(-1)
  expect(things.first?.next).toBeUndefined()
})
