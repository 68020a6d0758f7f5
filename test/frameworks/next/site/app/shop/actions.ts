'use server'

import { action, getSession } from '../../lib/shop'

export const add = action(async (form: FormData) => {
  const session = await getSession()
  session.getOrInsert('cart', []).push(String(form.get('book')))
})

export const fail = action(async () => {
  const session = await getSession()
  session.update('num_visits', (n = 0) => n + 1)
  throw new Error('The action fails')
})

/** A mistake: nothing would save what it changes. */
export async function unwrapped() {
  const session = await getSession()
  session.set('num_visits', 100)
}
