/*
 * What the types promise on Next: the session's own keys, and no change where it would be lost. Compiled, never run: each
 * `@ts-expect-error` is a mistake that the compiler must find.
 */
import { cookies, headers } from 'next/headers'
import { connection, type NextRequest, NextResponse } from 'next/server'
import { createSessions } from 'sojourn'
import { nextSession } from 'sojourn/next'

interface Shop {
  num_visits: number
  cart: string[]
  address: { lines: string[]; since: Date }
  ratings: Map<string, number>
}

const { readSession, getSession, action, route, proxy } = nextSession(createSessions<Shop>(), {
  cookies,
  headers,
  connection,
})

// @ts-expect-error: one of the functions of "next/headers" is missing
nextSession(createSessions<Shop>(), { cookies, connection })
// @ts-expect-error: the function of "next/server" is missing
nextSession(createSessions<Shop>(), { cookies, headers })

export async function onReading(): Promise<string> {
  const session = await readSession()
  const visits: number | undefined = session.get('num_visits')
  const first: string | undefined = session.get('cart', [])[0]
  const since: Date | undefined = session.get('address')?.since
  const rating: number | undefined = session.get('ratings')?.get('Emma')
  // @ts-expect-error: there is no such key
  session.get('num_visit')
  // @ts-expect-error: it can only be read
  session.set('num_visits', 1)
  // @ts-expect-error: it can only be read
  session.update('num_visits', (n = 0) => n + 1)
  // @ts-expect-error: it can only be read
  session.login('ann')
  // @ts-expect-error: it can only be read
  session.destroy()
  // @ts-expect-error: taking is a change
  session.takeFlashes()
  // @ts-expect-error: there is nothing to save
  await session.save()
  // @ts-expect-error: nor inside a value
  session.get('cart')?.push('Emma')
  // @ts-expect-error: nor deep inside
  session.get('address')?.lines.push('Bath')
  // @ts-expect-error: nor in a map
  session.get('ratings')?.set('Emma', 5)
  for (const [key, value] of session) console.log(key, value)
  return [session.userId, session.expiresAt, visits, first, since, rating].join(' ')
}

export const onAction = action(async (form: FormData) => {
  const session = await getSession()
  session.set('num_visits', form.getAll('book').length)
  // @ts-expect-error: there is no such key
  session.get('num_visit')
  // @ts-expect-error: not a number
  session.set('num_visits', 'three')
})

/** An action for `useActionState`. */
export const onState = action(async (state: number, form: FormData) => state + form.getAll('book').length)
export const state: Promise<number> = onState(1, new FormData())
// @ts-expect-error: the form is missing
void onState(1)

export const onRoute = route(
  async (request: NextRequest, { params }: { params: Promise<{ id: string }> }) => {
    const { id } = await params
    return Response.json({ id, path: request.nextUrl.pathname, user: (await getSession()).userId })
  },
)

export const onError = route(() => new Response('Hello'), {
  onError: (_error, request) => new Response(`Not ${request.url}`, { status: 500 }),
})

// @ts-expect-error: it must answer a response
export const noResponse = route(async () => 'Hello')

export const onProxy: (request: NextRequest) => Promise<Response | undefined> = proxy()
export const onOwnProxy = proxy(async (request: NextRequest) => {
  const { userId } = await readSession()
  return userId === undefined ? NextResponse.redirect(new URL('/sign-in', request.url)) : NextResponse.next()
})
