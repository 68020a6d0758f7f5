import type { RequestListener } from 'node:http'
import type { Store } from 'sojourn'
import type { CookieStore } from 'sojourn/cookie'

/** What all sites show and keep, whatever they are made of. */
export interface Data {
  num_visits: number
  user: Profile
  csrf: string
  cart: { isbn: string; copies: number; added: number }[]
}

interface Profile {
  name: string
  email: string
  roles: string[]
}

export const profile: Profile = {
  name: 'Ada Lovelace',
  email: 'ada@example.org',
  roles: ['reader', 'editor'],
}

/** About 280 bytes of JSON with the counter: what a signed-in visitor's session may hold. */
export const prepared: Omit<Data, 'num_visits'> = {
  user: profile,
  csrf: 'kPq3v0T7mZs1YxWc9uRb5dJf8hLgNa2eQiVoXtC6SBM',
  cart: [
    { isbn: '9780141439518', copies: 1, added: 1_767_225_600_000 },
    { isbn: '9780140449136', copies: 2, added: 1_767_225_900_000 },
  ],
}

export function visited(times: number): string {
  return `You have visited this page ${times} times.`
}

/** For whatever signs or seals; of a length that suits all packages. */
export const SECRET = 'kPq3v0T7mZs1YxWc9uRb5dJf8hLgNa2eQiVoXtC6SBM'

/** How the sites of one framework are made. Each answers `/`, `/me`, `/health` and `/prepare`. */
export interface Sites {
  bare(): Promise<RequestListener> | RequestListener
  sojourn(store: Store | CookieStore): Promise<RequestListener> | RequestListener
}
