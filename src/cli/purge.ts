import { createSessions } from '../sessions.ts'
import { type Command, Failure } from './command.ts'
import { STORE_URLS, withStore } from './store.ts'

/** What shells report for a program that Ctrl-C ended: 128 and the number of the signal. */
const INTERRUPTED = 130

export const purge: Command = {
  summary: 'Removes the sessions that have expired',
  positionals: ['store-url'],
  options: {},
  help: `${STORE_URLS}

Works in small batches beside the running site. Ctrl-C stops it between two of them; what was removed stays removed.`,
  run({ positionals: [url = ''], progress }) {
    return withStore(url, async (store) => {
      if (!('purge' in store)) throw new Failure('This store forgets expired sessions by itself')
      const stop = new AbortController()
      // Once: a second Ctrl-C ends the program at once, as it would any other.
      process.once('SIGINT', () => stop.abort())
      const removed = await createSessions({ store }).purge({
        signal: stop.signal,
        onProgress: (count) => progress(`${sessions(count)} removed so far`),
      })
      const complete = !stop.signal.aborted
      return {
        text: complete
          ? `${sessions(removed)} removed`
          : `Stopped: ${sessions(removed)} removed, more may be left`,
        json: { removed, complete },
        exitCode: complete ? 0 : INTERRUPTED,
      }
    })
  },
}

function sessions(count: number): string {
  return `${count.toLocaleString('en')} expired ${count === 1 ? 'session' : 'sessions'}`
}
