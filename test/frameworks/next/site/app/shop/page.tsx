import type { Metadata } from 'next'
import { Suspense } from 'react'
import { readSession } from '../../lib/shop'
import { add, fail, unwrapped } from './actions'

const ACTIONS = { add, fail, unwrapped }

export async function generateMetadata(): Promise<Metadata> {
  const session = await readSession()
  return { title: `Visits: ${session.get('num_visits', 0)}` }
}

export default async function Page() {
  const session = await readSession()
  return (
    <main>
      <p id="user">{session.userId ?? 'nobody'}</p>
      <Suspense>
        <Cart />
      </Suspense>
      {Object.entries(ACTIONS).map(([name, action]) => (
        <form id={name} key={name} action={action}>
          <input name="book" defaultValue="Emma" />
          <button type="submit">{name}</button>
        </form>
      ))}
    </main>
  )
}

async function Cart() {
  const session = await readSession()
  return <p id="cart">{session.get('cart', []).join(' ')}</p>
}
