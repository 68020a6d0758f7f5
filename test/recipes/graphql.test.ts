import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { upTo } from '../core/site.ts'
import { type PageProgram, SERVE, startPage } from './page-program.ts'
import { Visitor } from './visitor.ts'

// The programs of docs/frameworks/recipes.md that serve GraphQL.

interface Answer {
  data?: Record<string, unknown> | null
  errors?: { message: string }[]
}

async function ask(visitor: Visitor, query: string): Promise<Answer> {
  const response = await visitor.fetch('/graphql', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query }),
  })
  return (await response.json()) as Answer
}

describe.each([
  ['GraphQL Yoga on Node', 'yoga.ts'],
  ['GraphQL Yoga on the Fetch standard', 'serve.ts'],
  ['Apollo Server', 'apollo.ts'],
])('%s', (_, main) => {
  let site: PageProgram
  beforeAll(async () => {
    site = await startPage('docs/frameworks/recipes.md', main, { 'serve.ts': SERVE('./yoga-fetch.ts') })
  })
  afterAll(() => site.stop())

  it('saves a mutation before it answers, and costs a stranger who only reads no cookie', async () => {
    const visitor = new Visitor(site.origin)
    expect(await ask(visitor, '{ cart me }')).toEqual({ data: { cart: [], me: null } })
    expect(visitor.cookie).toBe('')
    expect(await ask(visitor, 'mutation { add(book: "Emma") }')).toEqual({ data: { add: ['Emma'] } })
    expect(await ask(visitor, '{ cart }')).toEqual({ data: { cart: ['Emma'] } })
  })

  it('keeps all mutations of one request, and of 50 at once', async () => {
    const visitor = new Visitor(site.origin)
    await ask(visitor, 'mutation { a: add(book: "1") b: add(book: "2") c: add(book: "3") }')
    await Promise.all(upTo(50).map((i) => ask(visitor.clone(), `mutation { add(book: "book ${i}") }`)))
    const { data } = await ask(visitor, '{ cart }')
    expect(data?.['cart']).toHaveLength(53)
    expect(data?.['cart']).toEqual(expect.arrayContaining(['1', '2', '3', 'book 50']))
  })

  it('signs in with a new id, and the old one is dead', async () => {
    const visitor = new Visitor(site.origin)
    await ask(visitor, 'mutation { add(book: "Emma") }')
    const old = visitor.clone()
    expect(await ask(visitor, 'mutation { login(user: "ada") }')).toEqual({ data: { login: 'ada' } })
    expect(visitor.cookie).not.toBe(old.cookie)
    expect(await ask(visitor, '{ cart me }')).toEqual({ data: { cart: ['Emma'], me: 'ada' } })
    expect(await ask(old, '{ cart me }')).toEqual({ data: { cart: [], me: null } })
  })

  it('keeps what was changed before an error was thrown', async () => {
    const visitor = new Visitor(site.origin)
    const { data, errors } = await ask(visitor, 'mutation { add(book: "Emma") fail(book: "Sanditon") }')
    expect(errors).toHaveLength(1)
    expect(data).toEqual({ add: ['Emma'], fail: null })
    expect(await ask(visitor, '{ cart }')).toEqual({ data: { cart: ['Emma', 'Sanditon'] } })
  })
})
