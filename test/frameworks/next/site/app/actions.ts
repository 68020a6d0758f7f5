'use server'

import { redirect } from 'next/navigation'
import { action, getSession } from '../lib/session.ts'

export const visit = action(async () => {
  const session = await getSession()
  session.update('num_visits', (n = 0) => n + 1)
})

export const add = action(async (form: FormData) => {
  const session = await getSession()
  session.getOrInsert('cart', []).push(String(form.get('book')))
})

export const signIn = action(async () => {
  const session = await getSession()
  session.login('ann')
  redirect('/?signed-in')
})

export const signOut = action(async () => {
  const session = await getSession()
  session.destroy()
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
