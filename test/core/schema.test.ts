import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createSessions, type SessionsOptions } from '../../src/index.ts'
import { Browser } from './browser.ts'
import { type Data, Site, visitor } from './site.ts'

type Schema = NonNullable<SessionsOptions['schema']>

const schemas: Record<string, Schema> = {
  zod: z.object({ visits: z.number(), cart: z.array(z.string()), note: z.string() }),
  valibot: v.object({ visits: v.number(), cart: v.array(v.string()), note: v.string() }),
  'zod, asynchronous': z.object({
    visits: z.number().refine(async (n) => n >= 0),
    cart: z.array(z.string()),
    note: z.string(),
  }),
  'valibot, asynchronous': v.objectAsync({
    visits: v.pipeAsync(
      v.number(),
      v.checkAsync(async (n) => n >= 0),
    ),
    cart: v.array(v.string()),
    note: v.string(),
  }),
}

/** A browser that a site without the schema gave its data, and that now meets the site with it. */
async function deployed(schema: Schema, stored: Data, onInvalid?: 'drop' | 'error') {
  const site = new Site()
  const old = await visitor(site.process(), stored)
  return { site, browser: old.at(site.process({ schema, ...(onInvalid && { onInvalid }) })) }
}

describe.each(Object.entries(schemas))('a schema of %s', (_, schema) => {
  it('lets through what fits, however little is there yet', async () => {
    for (const stored of [{ visits: 1 }, { cart: ['a'] }, { visits: 1, cart: [], note: '' }] as Data[]) {
      const { browser } = await deployed(schema, stored, 'error')
      expect(await browser.visit((session) => Object.fromEntries(session))).toEqual(stored)
    }
  })

  it('drops the values that no longer fit, and they stay away once something is saved', async () => {
    const { site, browser } = await deployed(schema, { visits: 'many', cart: ['a', 1], note: 'kept' })
    expect(await browser.visit((session) => Object.fromEntries(session))).toEqual({ note: 'kept' })
    await browser.visit((session) => session.set('visits', 1))
    const plain = browser.at(site.process())
    expect(await plain.visit((session) => Object.fromEntries(session))).toEqual({ visits: 1, note: 'kept' })
  })

  it('is an error where the site wants one, which names the keys and none of the data', async () => {
    const { browser } = await deployed(schema, { visits: 'many', cart: [4111] }, 'error')
    const error = await browser.visit(() => undefined).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ERR_SESSION_INVALID', status: 500 })
    expect(String(error)).toMatch(/"visits".*"cart"/)
    expect(String(error)).not.toMatch(/many|4111/)
  })

  it('tells nothing of the data to who knows the handle, and not the secret', async () => {
    const { site, browser } = await deployed(schema, { visits: 'many' }, 'error')
    const cookie = `sid=${browser.id.split('.')[0]}.${'A'.repeat(32)}`
    const stranger = new Browser(site.process({ schema, onInvalid: 'error' }), { cookie })
    expect(await stranger.visit((session) => [session.isNew, session.size])).toEqual([true, 0])
  })

  it('holds for what another process writes meanwhile', async () => {
    const { site, browser } = await deployed(schema, { visits: 1 })
    const late = await browser.begin()
    late.session.set('note', 'mine')
    await browser.at(site.process()).visit((session) => session.set('visits', 'many'))
    await late.finish()
    expect(await browser.visit((session) => Object.fromEntries(session))).toEqual({ note: 'mine' })
  })
})

describe('a fault of the whole, that belongs to no key', () => {
  const inOrder = z
    .object({ from: z.number(), to: z.number() })
    .refine(({ from, to }) => from <= to, 'The wrong way round')

  it('drops all of the data, and keeps the session and its user', async () => {
    const { browser } = await deployed(inOrder, { from: 2, to: 1 })
    expect(await browser.visit((session) => [session.isNew, session.size])).toEqual([false, 0])
  })

  it('drops the keys alone that the schema no longer knows, where those are the fault', async () => {
    const strict = z.strictObject({ visits: z.number(), theme: z.string() })
    const { browser } = await deployed(strict, { visits: 1, theme: 'dark', obsolete: true, older: 2 })
    expect(await browser.visit((session) => Object.fromEntries(session))).toEqual({
      visits: 1,
      theme: 'dark',
    })
  })

  it('is an error where the site wants one', async () => {
    const { browser } = await deployed(inOrder, { from: 2, to: 1 }, 'error')
    await expect(browser.visit(() => undefined)).rejects.toMatchObject({ code: 'ERR_SESSION_INVALID' })
  })
})

it('a schema gives the data its type', async () => {
  const sessions = createSessions({ schema: z.object({ visits: z.number() }) })
  const browser = new Browser(sessions)
  const visits: number = await browser.visit((session) => session.update('visits', (n = 0) => n + 1))
  expect(visits).toBe(1)
})
