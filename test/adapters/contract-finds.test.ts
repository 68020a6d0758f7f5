import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { cachingHeaders } from '../../src/index.ts'
import { adapterContract } from '../../src/testing/adapter-contract.ts'
import type { PageAnswer, Serve, Site } from '../../src/testing/adapter-site.ts'
import type { Visit } from '../../src/visit.ts'
import { listen } from './serve.ts'

/** What adapters get wrong, and the rules that say so. */
const FAULTS = {
  'loads the session of every request': ['ignores its session costs no store call'],
  'saves after it has answered': ['saved before the answer begins', 'a text carries the cookie'],
  'answers what the handler said though it was not saved': ['is an error page and sets no cookie'],
  'never answers when it was not saved': ['does not answer in time is an error page'],
  'does not save what a page that throws has changed': ['an error page for what the handler throws'],
  'replaces cookies of the handler': ['cookies that the handler sets survive'],
  'forgets the caches': ['kept out of shared caches'],
  'forgets that the headers have left': ['needs a cookie after the headers have left is refused'],
  'sends no cookie with an empty answer': ['an empty answer (204)'],
} satisfies Record<string, string[]>

type Fault = keyof typeof FAULTS

/** A small adapter that holds each answer until it is complete, with a fault or without. */
const serve =
  (fault: Fault | undefined): Serve =>
  (site) =>
    listen((req, res) => {
      handle(site, fault, req, res).catch(() => undefined)
    })

async function handle(
  { sessions, pages, errorPage }: Site,
  fault: Fault | undefined,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { pathname, searchParams: query } = new URL(req.url ?? '/', 'http://localhost')
  const visit = sessions.open({ cookie: req.headers.cookie, secure: false })
  if (fault === 'loads the session of every request') await visit.session()
  let throws = false
  const page = async (): Promise<PageAnswer> => {
    try {
      return (await pages[pathname]?.({ session: () => visit.session(), query })) ?? { status: 404 }
    } catch (error) {
      throws = true
      return errorPage(error)
    }
  }
  let answer = await page()
  if (fault === 'saves after it has answered') {
    await send(res, visit, fault, answer)
    await visit.commit()
    return
  }
  if (!(throws && fault === 'does not save what a page that throws has changed')) {
    try {
      await visit.commit()
    } catch (error) {
      if (fault === 'never answers when it was not saved') throw error
      if (fault !== 'answers what the handler said though it was not saved') answer = errorPage(error)
    }
  }
  await send(res, visit, fault, answer)
}

async function send(
  res: ServerResponse,
  visit: Visit,
  fault: Fault | undefined,
  { status = 200, headers = [], body }: PageAnswer,
): Promise<void> {
  res.statusCode = status
  for (const [name, value] of headers) res.appendHeader(name, value)
  const { setCookies } = visit.outcome
  if (fault === 'replaces cookies of the handler') res.setHeader('Set-Cookie', setCookies)
  else if (!(fault === 'sends no cookie with an empty answer' && status === 204)) {
    for (const cookie of setCookies) res.appendHeader('Set-Cookie', cookie)
  }
  if (fault !== 'forgets the caches') tellCaches(res, visit)
  res.flushHeaders()
  if (fault !== 'forgets that the headers have left') visit.headersSent()
  if (typeof body === 'object') for await (const chunk of body) res.write(chunk)
  res.end(typeof body === 'string' ? body : undefined)
}

function tellCaches(res: ServerResponse, visit: Visit): void {
  const { cacheControl, vary } = cachingHeaders(visit.outcome, {
    cacheControl: res.getHeader('Cache-Control')?.toString(),
    vary: res.getHeader('Vary')?.toString(),
  })
  if (cacheControl !== undefined) res.setHeader('Cache-Control', cacheControl)
  if (vary !== undefined) res.setHeader('Vary', vary)
}

describe('the adapter contract', () => {
  it('is kept by a small adapter without faults', async () => {
    for (const { name, run } of adapterContract(serve(undefined))) {
      await run().catch((cause) => expect.fail(`${name}: ${cause}`))
    }
  })

  for (const [fault, rules] of Object.entries(FAULTS)) {
    for (const rule of rules) {
      it(`finds an adapter that ${fault}: "... ${rule} ..."`, async () => {
        const found = adapterContract(serve(fault as Fault)).filter(({ name }) => name.includes(rule))
        expect(found.length).toBeGreaterThan(0)
        for (const { run } of found) await expect(run()).rejects.toThrow()
      })
    }
  }
})
