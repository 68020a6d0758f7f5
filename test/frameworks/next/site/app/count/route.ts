import { getSession, route } from '../../lib/session.ts'

export const GET = route(async () => {
  const session = await getSession()
  return new Response(String(session.update('num_visits', (n = 0) => n + 1)))
})
