import type { NextSession } from 'sojourn/next'
import * as session from './session'

interface Shop {
  num_visits: number
  cart: string[]
}

/** What the page's own module exports, with a cart in its type. */
export const { readSession, getSession, action, route } = session as unknown as NextSession<Shop>
