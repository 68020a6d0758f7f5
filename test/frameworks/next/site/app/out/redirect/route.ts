import { redirect } from 'next/navigation'
import { getSession, route } from '../../../lib/shop'

export const GET = route(async () => {
  const session = await getSession()
  session.update('num_visits', (n = 0) => n + 1)
  redirect('/read')
})
