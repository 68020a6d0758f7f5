import { cookies, headers } from 'next/headers'
import { createSessions } from 'sojourn'
import { nextSession } from 'sojourn/next'
import { bench, clock } from './store.ts'

interface Data {
  num_visits: number
  cart: string[]
  [key: `key${number}`]: number
}

bench.instances++

const sessions = createSessions<Data>({ store: bench.store, clock })

export const { readSession, getSession, action, route, proxy } = nextSession(sessions, { cookies, headers })
