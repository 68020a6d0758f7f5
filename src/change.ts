import type { Keyed } from './by-key.ts'
import { SessionError } from './errors.ts'
import { ignore } from './ignore.ts'
import { Slot } from './slot.ts'

/** The function of an `update`, run on the newest value at each replay. */
export type Updater = (value: unknown) => unknown

/** What one request did to one key: it set or removed the value, or updated it by functions. */
export interface Change extends Keyed<Change> {
  /** What the key holds for the request by now; `undefined` when it is removed. */
  slot: Slot | undefined
  /** What the request had read there before it set it, so that a set over another request's change can be told. */
  seen: { slot: Slot | undefined } | undefined
  updater: Updater | undefined
  /** Those of later updates. */
  updaters: Updater[] | undefined
  /** What the first function got: on the same none of them need run again. */
  before: Slot | undefined
}

/** Told each key whose set overwrites a change that the request had not seen; may throw. */
export interface StaleObserver {
  stale(name: string): void
}

export const NOBODY: StaleObserver = { stale: ignore }

/** What becomes of one key; `undefined` removes it. */
export function changed(
  { key, slot, seen, updater, updaters, before }: Change,
  stored: Slot | undefined,
  observer: StaleObserver,
): Slot | undefined {
  if (!updater) {
    if (seen && !Slot.same(seen.slot, stored)) observer.stale(key)
    return slot
  }
  if (Slot.same(before, stored)) return slot
  let updated = Slot.ofResult(updater(stored?.copy()), key)
  for (const next of updaters ?? []) updated = Slot.ofResult(next(updated?.copy()), key)
  return updated
}

/** The error of `onStaleSet: 'error'`. */
export function staleSet(name: string): SessionError {
  return new SessionError(
    'ERR_SESSION_CONFLICT',
    `Another request changed "${name}" after this one read it; use update() for values that depend on the old one`,
  )
}
