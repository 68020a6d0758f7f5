import { readSession } from '../../../lib/shop'

/** A mistake that the compiler finds: what is changed here is lost. */
export default async function Page() {
  const session = await readSession()
  const cart = session.get('cart', [])
  // @ts-expect-error: it is not to be changed
  cart.push('Emma')
  return <p>{cart.join()}</p>
}
