import { describe, expect, it } from 'vitest'
import type { Session } from '../../src/index.ts'
import { type Anything, TestSite } from './test-site.ts'

type Live = Session<Anything>

const cart = () => ({ items: [{ name: 'book', tags: new Set(['new']), sizes: new Map([['a', [1]]]) }] })

async function visitorWithCart(site = new TestSite()) {
  const visitor = site.browser()
  await visitor.visit((session) => session.set('cart', cart()))
  return visitor
}

describe('a change inside a value that was handed out is saved by itself', () => {
  it.each<[string, (value: ReturnType<typeof cart>) => unknown]>([
    ['an element added to an array', ({ items }) => items.push({ ...cart().items[0], name: 'pen' } as never)],
    ['an element removed', ({ items }) => items.pop()],
    ['a property of an object in an array', ({ items }) => Object.assign(items[0] ?? {}, { name: 'pen' })],
    ['an array in a Map in an object in an array', ({ items }) => items[0]?.sizes.get('a')?.push(2)],
    ['an entry of a Map', ({ items }) => items[0]?.sizes.set('b', [])],
    ['a Set', ({ items }) => items[0]?.tags.delete('new')],
    ['a property deleted', ({ items }) => delete (items[0] as Partial<(typeof items)[0]>).name],
    ['the order of properties', ({ items }) => items.unshift(items.pop() as never, { z: 1 } as never)],
    ['a rich value in a plain object', (value) => Object.assign(value, { at: new Date(0) })],
    ['a cycle', (value) => Object.assign(value, { self: value })],
  ])('%s', async (_, change) => {
    const visitor = await visitorWithCart()
    const expected = cart()
    change(expected)
    await visitor.visit((session) => void change(session.get('cart')))
    expect(await visitor.visit((session) => session.get('cart'))).toStrictEqual(expected)
  })

  it.each<[string, (session: Live) => { n: number }]>([
    ['get', (session) => session.get('key')],
    ['get with a fallback', (session) => session.get('key', { n: 0 })],
    ['values()', (session) => [...session.values()][0]],
    ['entries()', (session) => [...session.entries()][0]?.[1]],
    ['the session as an iterable', (session) => [...session][0]?.[1]],
    ['getOrInsert of what is there', (session) => session.getOrInsert('key', { n: 0 })],
    ['update', (session) => session.update('key', (value) => ({ ...value }))],
    ['update that answers what it was given', (session) => session.update('key', (value) => value)],
  ])('handed out by %s', async (_, take) => {
    const visitor = new TestSite().browser()
    await visitor.visit((session) => session.set('key', { n: 1 }))
    await visitor.visit((session) => {
      take(session).n = 2
      expect(session.get('key')).toEqual({ n: 2 })
    })
    expect(await visitor.visit((session) => session.get('key'))).toEqual({ n: 2 })
  })

  it.each<[string, (session: Live) => { n: number }]>([
    ['set', (session) => session.set('key', { n: 1 }).get('key')],
    ['getOrInsert', (session) => session.getOrInsert('key', { n: 1 })],
    ['update', (session) => session.update('key', () => ({ n: 1 }))],
  ])('put there in the same request by %s', async (_, put) => {
    const visitor = new TestSite().browser()
    await visitor.visit((session) => {
      put(session).n = 2
    })
    expect(await visitor.visit((session) => session.get('key'))).toEqual({ n: 2 })
  })

  it('given to set and changed afterwards by its giver', async () => {
    const visitor = new TestSite().browser()
    const given = { n: 1 }
    await visitor.visit((session) => {
      session.set('key', given)
      given.n = 2
    })
    expect(await visitor.visit((session) => session.get('key'))).toEqual({ n: 2 })
  })

  it.each([
    ['NaN', Number.NaN, -3],
    ['negative zero', -0, -6],
    ['infinity', Number.POSITIVE_INFINITY, -4],
    ['undefined', undefined, -1],
  ])('also when %s takes the place of what stands for it in writing', async (_, value, sign) => {
    const visitor = new TestSite().browser()
    await visitor.visit((session) => session.set('key', [[sign]]))
    await visitor.visit((session) => {
      session.get('key')[0] = value
    })
    expect(await visitor.visit((session) => session.get('key'))).toStrictEqual([value])
  })

  it('before update() runs, which builds on it', async () => {
    const visitor = await visitorWithCart()
    await visitor.visit((session) => {
      session.get('cart').items[0].name = 'pen'
      session.update('cart', (value) => ({ ...value, count: value.items.length }))
    })
    const stored = await visitor.visit((session) => session.get('cart'))
    expect([stored.items[0].name, stored.count]).toEqual(['pen', 1])
  })

  it('between two saves of one request, each of them', async () => {
    const visitor = await visitorWithCart()
    await visitor.visit(async (session) => {
      session.get('cart').items[0].name = 'pen'
      await session.save()
      session.get('cart').items[0].name = 'ink'
      await session.save()
      session.get('cart').items.push('paper')
    })
    const { items } = await visitor.visit((session) => session.get('cart'))
    expect([items[0].name, items[1]]).toEqual(['ink', 'paper'])
  })

  it('and nothing is written when nothing differs', async () => {
    const site = new TestSite()
    const visitor = await visitorWithCart(site)
    await visitor.visit((session) => {
      const { items } = session.get('cart')
      items.push('pen')
      items.pop()
      for (const [, value] of session) JSON.stringify(value)
    })
    expect(site.store.calls.update).toBe(0)
  })

  it.each<[string, (session: Live) => unknown, unknown]>([
    ['deleted', (session) => session.delete('cart'), undefined],
    ['popped', (session) => session.pop('cart'), undefined],
    ['cleared away', (session) => session.clear(), undefined],
    ['destroyed', (session) => session.destroy(), undefined],
    ['replaced', (session) => session.set('cart', 'empty'), 'empty'],
  ])('but no longer once it was %s', async (_, drop, expected) => {
    const visitor = await visitorWithCart()
    await visitor.visit((session) => {
      const held = session.get('cart')
      drop(session)
      held.items = 'changed too late'
    })
    expect(await visitor.visit((session) => session.get('cart'))).toBe(expected)
  })
})

describe('an object belongs to one request', () => {
  it('and changes nothing after the answer, whether it was given or handed out', async () => {
    const site = new TestSite()
    const visitor = site.browser()
    const given = { n: 1 }
    await visitor.visit((session) => session.set('key', given))
    const handed = await visitor.visit((session) => session.get('key'))
    given.n = 2
    handed.n = 3
    expect(await visitor.visit((session) => session.get('key'))).toEqual({ n: 1 })
    await visitor.visit((session) => session.set('other', 1))
    expect(await visitor.visit((session) => session.get('key'))).toEqual({ n: 1 })
  })

  it('and is the same one each time the request asks', async () => {
    const visitor = await visitorWithCart()
    await visitor.visit((session) => {
      const held = session.get('cart')
      expect(session.get('cart')).toBe(held)
      expect([...session.values()][0]).toBe(held)
      expect(session.getOrInsert('cart', {})).toBe(held)
    })
  })

  it('and is no other request’s, even of requests that run at the same time and are saved together', async () => {
    const visitor = await visitorWithCart()
    const held: { items: { name: string }[] }[] = []
    await Promise.all(
      ['a', 'b', 'c'].map((key) =>
        visitor.visit(async (session) => {
          held.push(session.get('cart'))
          session.set(key, { key })
          await session.save()
          held.push(session.get('cart'))
        }),
      ),
    )
    expect(new Set(held).size).toBe(3)
    for (const one of held) if (one.items[0]) one.items[0].name = 'changed after the answer'
    const session = await visitor.visit((live) => Object.fromEntries(live))
    expect(session).toEqual({ cart: cart(), a: { key: 'a' }, b: { key: 'b' }, c: { key: 'c' } })
  })

  it('and one given under two keys, or in a flash, is two afterwards', async () => {
    const visitor = new TestSite().browser()
    const given = { n: 1 }
    await visitor.visit((session) => {
      session.set('a', given).set('b', given)
      session.flash('note', given)
      given.n = 2
    })
    await visitor.visit((session) => {
      session.get('a').n = 3
      expect(session.get('b')).toEqual({ n: 2 })
      expect(session.takeFlashes()).toEqual([{ key: 'note', value: { n: 1 } }])
    })
  })

  it('and the one that update() passes may be changed freely: it counts only when it is answered', async () => {
    const visitor = await visitorWithCart()
    await visitor.visit((session) => {
      const before = session.get('cart')
      session.update('cart', (value) => {
        value.items = []
        return { replaced: true }
      })
      expect(before).toEqual(cart())
      expect(() =>
        session.update('cart', (value) => {
          value.replaced = false
          throw new Error('no')
        }),
      ).toThrow('no')
    })
    expect(await visitor.visit((session) => session.get('cart'))).toEqual({ replaced: true })
  })

  it('and the fallback is not stored, however it is changed', async () => {
    const visitor = await new TestSite().visitor()
    await visitor.visit((session) => session.get('list', []).push(1))
    await visitor.visit((session) => session.pop('list', []).push(1))
    expect(await visitor.visit((session) => session.has('list'))).toBe(false)
  })

  it('and a session that was resumed keeps its changes to itself until it is saved', async () => {
    const site = new TestSite()
    const visitor = await visitorWithCart(site)
    await visitor.visit((session) => session.login('ada'))
    const resumed = await site.sessions.resume(visitor.id)
    resumed?.get('cart').items.push('pen')
    expect(await visitor.visit((session) => session.get('cart'))).toEqual(cart())
    await resumed?.save()
    expect((await visitor.visit((session) => session.get('cart'))).items).toHaveLength(2)
  })
})
