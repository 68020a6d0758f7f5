import type { NextRequest } from 'next/server'
import { getSession, route } from '../../lib/session.ts'

export const POST = route(async (request: NextRequest) => {
  const session = await getSession()
  session.set(`key${Number(request.nextUrl.searchParams.get('i'))}`, 1)
  session.update('num_visits', (n = 0) => n + 1)
  return new Response(null, { status: 204 })
})
