import { getSession, route } from '../../../lib/shop'

export const GET = route(async () => {
  const session = await getSession()
  session.update('num_visits', (n = 0) => n + 1)
  throw new Error('The handler fails')
})
