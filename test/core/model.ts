/** One session as plain as it can be: what the model test holds the real one against. */
export interface State {
  exists: boolean
  data: Map<string, number>
  user: string | undefined
  /** The ids that open it; those that no answer told anybody are unknown, and only counted. */
  ids: Set<string>
  flashes: number[]
}

/** A stretch of a request up to a commit, as the model replays it: all of it, or nothing. */
export interface Deed {
  /** Instants on a counter: one that ended before another began must come before it. */
  began: number
  ended: number
  steps: ((state: State) => void)[]
  /** Whether the store failed, so that nobody knows if it was written. */
  unsure: boolean
  /** The id that the request came with, and the one its answer told. */
  from: string
  to: string | undefined
  changesId: 'no' | 'rotate' | 'login'
  user: string | undefined
  /** Whose session the request saw. */
  saw: string | undefined
  /** The stretch of the same request that comes before, when it was not waited for. */
  after: Deed | undefined
  destroys: boolean
}

function copy(state: State): State {
  return { ...state, data: new Map(state.data), ids: new Set(state.ids), flashes: [...state.flashes] }
}

/** All orders that keep to what was seen from outside; what is unsure may also have not happened. */
export function* orders(deeds: readonly Deed[]): Generator<Deed[]> {
  if (deeds.length === 0) yield []
  for (const deed of deeds) {
    const rest = deeds.filter((other) => other !== deed)
    if (rest.some((other) => other.ended < deed.began || other === deed.after)) continue
    for (const order of orders(rest)) {
      yield [deed, ...order]
      if (deed.unsure) yield order
    }
  }
}

/** Makes nothing of a deed. */
export function forget(deed: Deed): void {
  Object.assign(deed, { steps: [], changesId: 'no' })
}

/** The state after the deeds, one after the other. Ended is ended: nothing happens to a session that is gone. */
export function replay(start: State, order: readonly Deed[]): State {
  const state = copy(start)
  for (const deed of order) {
    if (!state.exists) break
    if (comesTooLate(state, deed)) continue
    const joins = deed.changesId === 'login' && state.user === deed.user
    // Another user's data is gone before this request's own is there; so is that of whoever changed the id first.
    const takesOver = state.user !== undefined || !state.ids.has(deed.from)
    if (deed.changesId === 'login' && !joins && takesOver) empty(state)
    for (const step of deed.steps) step(state)
    changeIds(state, deed, joins)
    if (deed.changesId === 'login') state.user = deed.user
  }
  return state
}

/** For those who sign nobody in: the session of its user has ended, or somebody has changed the id before. */
function comesTooLate(state: State, { changesId, saw, from }: Deed): boolean {
  if (changesId === 'login') return false
  if (saw !== undefined && saw !== state.user) return true
  return changesId === 'rotate' && !state.ids.has(from)
}

export function empty(state: State): void {
  state.data.clear()
  state.flashes = []
}

function changeIds(state: State, { changesId, from, to }: Deed, joins: boolean): void {
  if (changesId === 'no') return
  const id = to ?? `unknown ${Math.random()}`
  if (state.ids.has(from) || (changesId === 'login' && !joins)) state.ids = new Set([id])
  else if (joins) state.ids.add(id)
}

/** The states without those that differ in nothing: many orders come to the same. */
export function distinct(states: readonly State[]): State[] {
  const name = (state: State): string =>
    JSON.stringify([state.exists, [...state.data], state.user, [...state.ids], state.flashes])
  return [...new Map(states.map((state) => [name(state), state])).values()]
}

/** Whether what was observed of the stored session is that state. */
export function agrees(state: State, observed: State): boolean {
  if (!state.exists || !observed.exists) return knownIds(state).length === 0 && !observed.exists
  return JSON.stringify(plain(state)) === JSON.stringify(plain(observed))
}

function plain(state: State): unknown {
  return [[...state.data].sort(), state.user, knownIds(state).sort(), state.flashes]
}

function knownIds(state: State): string[] {
  return state.exists ? [...state.ids].filter((id) => !id.startsWith('unknown')) : []
}
