/**
 * The numbered updates of one process that are in a session: the numbers that were counted, as ranges, and those that
 * were counted more than once. So it can be told which update was lost and which came twice, in any order of events.
 */
export interface Ledger {
  ranges: [first: number, last: number][]
  twice: number[]
}

/** The ledger with one more number. Pure, as every function that `update` is given. */
export function noted(ledger: Ledger | undefined, number: number): Ledger {
  const { ranges, twice } = structuredClone(ledger ?? { ranges: [], twice: [] })
  if (holds({ ranges, twice }, number)) return { ranges, twice: [...twice, number] }
  const last = ranges.at(-1)
  if (last?.[1] === number - 1) last[1] = number
  else ranges.push([number, number])
  return { ranges, twice }
}

export function holds({ ranges }: Ledger, number: number): boolean {
  return ranges.some(([first, last]) => first <= number && number <= last)
}
