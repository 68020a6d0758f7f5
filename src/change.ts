import { SessionError } from './errors.ts'
import { Slot } from './slot.ts'

/** The function of an `update`, run on the newest value at each replay. */
export type Updater = (value: unknown) => unknown

/** What one request did to one key. */
export type Change =
  /** `seen` is what the request had read there before, so that a set over another request's change can be told. */
  | { kind: 'put'; slot: Slot; seen: { slot: Slot | undefined } | undefined }
  | { kind: 'delete' }
  /** `before` and `after` are what the functions made of what the request saw: they need not run again on the same. */
  | { kind: 'update'; updaters: Updater[]; before: Slot | undefined; after: Slot | undefined }

/** What becomes of one key; `undefined` removes it. */
export function changed(
  name: string,
  change: Change,
  stored: Slot | undefined,
  onStale: (name: string) => void,
): Slot | undefined {
  if (change.kind === 'delete') return undefined
  if (change.kind === 'put') {
    if (change.seen && !Slot.same(change.seen.slot, stored)) onStale(name)
    return change.slot
  }
  if (Slot.same(change.before, stored)) return change.after
  let slot = stored
  for (const updater of change.updaters) slot = Slot.ofResult(updater(slot?.copy()), name)
  return slot
}

/** The error of `onStaleSet: 'error'`. */
export function staleSet(name: string): SessionError {
  return new SessionError(
    'ERR_SESSION_CONFLICT',
    `Another request changed "${name}" after this one read it; use update() for values that depend on the old one`,
  )
}
