import type { Store } from '../../src/index.ts'
import { cookieStore } from '../../src/stores/cookie.ts'
import type { AdapterContractOptions } from '../../src/testing/adapter-contract.ts'
import { newKey } from '../stores/cookie-site.ts'

const IN_THE_COOKIE = 'the session is in the cookie, so each change sets it'
const LAST_ANSWER = 'of parallel responses the browser keeps the last'
const NO_COOKIE = 'a change that no cookie carries is refused'
const NO_CALL = 'a first visit asks no store for anything'
const OLD_COPY = 'a copy of the cookie opens until it expires'

/** What no session in a cookie can do. */
const BY_VALUE = {
  'the cookie is set once': IN_THE_COOKIE,
  '100 requests at once that each set another key lose none, in a few writes': LAST_ANSWER,
  '100 updates at once of one key all count, in a few writes': LAST_ANSWER,
  'a session that is changed after the headers have left is still saved': NO_COOKIE,
  'what a handler has changed is saved when its client has gone': NO_COOKIE,
  'a store that does not answer in time is an error page and sets no cookie': NO_CALL,
  'a store that does not answer in time serves the visitor without a session and sets no cookie': NO_CALL,
}

/** Sessions that travel in the cookie: by the heading of a column. */
export const KINDS = {
  'sealed into the cookie': {
    carriedBy: (_store: Store) => cookieStore({ keys: [newKey()] }),
    exceptions: {
      ...BY_VALUE,
      'a request that ignores its session costs no store call, and one that only reads it costs one':
        'it costs none',
      'a sign-in changes the id, keeps the data, and ends the old id': OLD_COPY,
      'a sign-in submitted twice at once leaves the browser signed in, whichever answer arrives last':
        OLD_COPY,
      'destroy() ends the session and clears the cookie with its own attributes': OLD_COPY,
    },
  },
  'sealed into the cookie, with a revocation store': {
    carriedBy: (store: Store) => cookieStore({ keys: [newKey()], revocation: store }),
    exceptions: BY_VALUE,
  },
} satisfies Record<string, AdapterContractOptions>

/** Two by Node's response, and two that take several cookies in ways of their own. */
export const COOKIE_SERVERS = ['Express 5', 'node:http', 'Fastify', 'fetch'] as const
