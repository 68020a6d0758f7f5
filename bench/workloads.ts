/** What is asked of a server, and what it must answer. */
export interface Workload {
  title: string
  path: string
  /** Whether the requests come with the cookie of a session that was prepared. */
  hasCookie: boolean
  /** Whether each answer must count one visit more than the last one of the same session. */
  counts: boolean
  /** The whole body; of a count, the first match is the number. */
  body: RegExp
}

export type WorkloadName = 'visit' | 'read' | 'untouched' | 'first'

const page = /^You have visited this page (\d+) times\.$/

export const workloads: Record<WorkloadName, Workload> = {
  visit: {
    title: 'Visit counter: read the session, add 1, save it',
    path: '/',
    hasCookie: true,
    counts: true,
    body: page,
  },
  read: {
    title: 'Read only: show a name from the session',
    path: '/me',
    hasCookie: true,
    counts: false,
    body: /^Ada Lovelace$/,
  },
  untouched: {
    title: 'Session not touched: the cookie comes, the handler does not look',
    path: '/health',
    hasCookie: true,
    counts: false,
    body: /^ok$/,
  },
  first: {
    title: 'First visit: no cookie comes, a session is made and its cookie sent',
    path: '/',
    hasCookie: false,
    counts: true,
    body: page,
  },
}

export const workloadNames = Object.keys(workloads) as WorkloadName[]
