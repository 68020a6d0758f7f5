import fs from 'node:fs'
import { vi } from 'vitest'

const CALLS = [
  'mkdirSync',
  'writeFileSync',
  'renameSync',
  'unlinkSync',
  'rmdirSync',
  'rmSync',
  'readdirSync',
  'readFileSync',
] as const

// A look at a whole folder of entries is no step of its own: nothing can have changed since the step before.
const OF_AN_ENTRY = /[0-9a-f]{64}|[\\/]new/

/** Calls back before each step that the work takes in the files of an entry, with the number of the step. */
async function atEachStep<T>(before: (step: number) => void, work: () => Promise<T>): Promise<T> {
  let step = 0
  const spies = CALLS.map((name) => {
    const original = fs[name] as (...args: never[]) => unknown
    return vi.spyOn(fs, name).mockImplementation(((...args: never[]) => {
      if (OF_AN_ENTRY.test(String(args[0]))) before(step++)
      return original.apply(fs, args)
    }) as never)
  })
  try {
    return await work()
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

/** Runs the work as in a process that dies before that step: nothing it would do from then on happens. */
export async function dieAt(step: number, work: () => Promise<unknown>): Promise<'died' | 'done'> {
  let died = false
  const before = (now: number) => {
    if (now >= step) died = true
    if (died) throw Object.assign(new Error('died'), { code: 'EDIED' })
  }
  // What catches the error above does nothing that is seen, for all its steps fail, too.
  await atEachStep(before, work).catch(() => undefined)
  return died ? 'died' : 'done'
}

/** Runs the work, and all of the other work just before that step of it. */
export async function interruptAt<T>(
  step: number,
  work: () => Promise<T>,
  other: () => Promise<unknown>,
): Promise<{ result: T; interrupted: boolean }> {
  let interrupted = false
  let others: Promise<unknown> | undefined
  let inOther = false
  const before = (now: number) => {
    if (inOther || others || now !== step) return
    interrupted = true
    inOther = true
    // The steps of a file store all happen at the call, before it answers its promise.
    others = other()
    inOther = false
  }
  const result = await atEachStep(before, work)
  await others
  return { result, interrupted }
}
