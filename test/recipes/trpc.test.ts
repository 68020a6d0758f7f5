import { createTRPCClient, httpBatchLink, httpBatchStreamLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { upTo } from '../core/site.ts'
import { type PageProgram, SERVE, startPage } from './page-program.ts'
import { Visitor } from './visitor.ts'

// The programs of docs/frameworks/recipes.md that serve tRPC, with its own client.

type Link = typeof httpBatchLink | typeof httpBatchStreamLink

/** What the program's router offers. */
interface Client {
  cart: { query(): Promise<string[]> }
  me: { query(): Promise<string> }
  add: { mutate(book: string): Promise<string[]> }
  fail: { mutate(book: string): Promise<never> }
  login: { mutate(user: string): Promise<void> }
}

describe.each([
  ['Express', 'trpc.ts'],
  ['the Fetch standard', 'serve.ts'],
])('tRPC on %s', (_, main) => {
  let site: PageProgram
  beforeAll(async () => {
    site = await startPage('docs/frameworks/recipes.md', main, { 'serve.ts': SERVE('./trpc-fetch.ts') })
  })
  afterAll(() => site.stop())

  function clientOf(visitor: Visitor, link: Link = httpBatchLink): Client {
    const path = (url: unknown): string => String(url).slice(site.origin.length)
    const client = createTRPCClient<AnyTRPCRouter>({
      links: [
        link({
          url: `${site.origin}/trpc`,
          fetch: (url, init) => visitor.fetch(path(url), init as RequestInit),
        }),
      ],
    })
    return client as unknown as Client
  }

  it('saves a mutation before it answers, and costs a stranger who only reads no cookie', async () => {
    const visitor = new Visitor(site.origin)
    const client = clientOf(visitor)
    expect(await client.cart.query()).toEqual([])
    expect(visitor.cookie).toBe('')
    expect(await client.add.mutate('Emma')).toEqual(['Emma'])
    expect(await client.cart.query()).toEqual(['Emma'])
    expect(await clientOf(new Visitor(site.origin)).cart.query()).toEqual([])
  })

  it('keeps all of one batch, and all of 50 at once', async () => {
    const visitor = new Visitor(site.origin)
    const client = clientOf(visitor)
    await Promise.all([client.add.mutate('1'), client.add.mutate('2'), client.add.mutate('3')])
    expect(await client.cart.query()).toEqual(['1', '2', '3'])
    await Promise.all(upTo(50).map((i) => clientOf(visitor.clone()).add.mutate(`book ${i}`)))
    expect(await client.cart.query()).toHaveLength(53)
  })

  it('signs in with a new id, and the old one is dead', async () => {
    const visitor = new Visitor(site.origin)
    const client = clientOf(visitor)
    await client.add.mutate('Emma')
    const old = visitor.clone()
    await expect(client.me.query()).rejects.toMatchObject({ data: { code: 'UNAUTHORIZED' } })
    await client.login.mutate('ada')
    expect(visitor.cookie).not.toBe(old.cookie)
    expect(await Promise.all([client.me.query(), client.cart.query()])).toEqual(['ada', ['Emma']])
    expect(await clientOf(old).cart.query()).toEqual([])
  })

  it('keeps what was changed before an error was thrown', async () => {
    const client = clientOf(new Visitor(site.origin))
    await expect(client.fail.mutate('Emma')).rejects.toMatchObject({ data: { code: 'CONFLICT' } })
    expect(await client.cart.query()).toEqual(['Emma'])
  })

  it('of a streamed answer saves changes of a stored session, and says of others that it is too late', async () => {
    const visitor = new Visitor(site.origin)
    const late = clientOf(visitor, httpBatchStreamLink)
    await expect(late.add.mutate('Emma')).rejects.toThrow('needs a cookie')
    await clientOf(visitor).add.mutate('Emma')
    await Promise.all([late.add.mutate('Persuasion'), late.add.mutate('Sanditon')])
    await expect(late.login.mutate('ada')).rejects.toThrow('needs a cookie')
    expect(await clientOf(visitor).cart.query()).toEqual(['Emma', 'Persuasion', 'Sanditon'])
  })
})
