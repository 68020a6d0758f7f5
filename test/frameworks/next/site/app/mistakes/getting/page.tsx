import { getSession } from '../../../lib/shop'

// Else `next build` would refuse it already, in the same words.
export const dynamic = 'force-dynamic'

/** A mistake: a Server Component can save nothing. */
export default async function Page() {
  const session = await getSession()
  session.update('num_visits', (n = 0) => n + 1)
  return <p>{session.get('num_visits')}</p>
}
