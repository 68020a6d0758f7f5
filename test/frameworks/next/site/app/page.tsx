import { Suspense } from 'react'
import { readSession } from '../lib/session.ts'
import { add, fail, signIn, signOut, unwrapped, visit } from './actions.ts'

const ACTIONS = { visit, add, signIn, signOut, fail, unwrapped }

export default async function Page() {
  const session = await readSession()
  return (
    <main>
      <p id="visits">{session.get('num_visits', 0)}</p>
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
