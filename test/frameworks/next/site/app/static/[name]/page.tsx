import { readSession } from '../../../lib/shop'

export const dynamic = 'force-static'

export function generateStaticParams() {
  return []
}

/** A mistake: what is made here is given to everybody. */
export default async function Page() {
  const session = await readSession()
  return <p>{session.get('num_visits', 0)}</p>
}
