import type { Updater } from './change.ts'
import { Slot } from './slot.ts'

/** Runs the function of an `update` again on what it was given, and reports on the console when it answers something else. */
export function reportImpure(
  key: string,
  fn: Updater,
  before: Slot | undefined,
  after: Slot | undefined,
): void {
  if (Slot.same(after, Slot.ofResult(fn(before?.copy()), key))) return
  console.warn(
    `sojourn: the function of update(${JSON.stringify(key)}) gave two results for one value. It must be pure, since it ` +
      'runs again when another request came first: compute times and random values before calling update().',
  )
}
