import type { Visit } from '../visit.ts'

/** What holding back a response needs of a visit. */
export type HeldVisit = Pick<Visit, 'dirty' | 'commit' | 'outcome' | 'headersSent'>

/** Sessions of two kinds in one request. */
export function together(first: HeldVisit, second: HeldVisit): HeldVisit {
  return {
    get dirty() {
      return first.dirty || second.dirty
    },
    async commit() {
      await first.commit()
      await second.commit()
    },
    get outcome() {
      const [a, b] = [first.outcome, second.outcome]
      return { read: a.read || b.read, setCookies: [...a.setCookies, ...b.setCookies] }
    },
    headersSent() {
      first.headersSent()
      second.headersSent()
    },
  }
}
