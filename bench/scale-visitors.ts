/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function randoms(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const SECOND = 1000
export const DAY = 86_400 * SECOND

/** How the visitors behave. */
export const BEHAVIOUR = {
  /**
   * The mean over all visitors of their visits a day. How many a day each of them makes has a Weibull distribution of shape 1/2: many come
   * hardly ever, a few all the time.
   */
  visitsPerDay: 2.22,
  /** The mean of a visit; the chance that another one follows is the same after each. */
  pageLoadsPerVisit: 30,
  /** The mean, in milliseconds; exponential. */
  betweenPageLoads: 30 * SECOND,
  /** The page first; when that is there, what belongs to it. Each of them reads the session. */
  requestsPerPageLoad: 10,
}

/** The visits a day of each of so many visitors: each stands for an equal part of all. */
export function visitsPerDay(visitors: number): number[] {
  const scale = BEHAVIOUR.visitsPerDay / 2
  return Array.from({ length: visitors }, (_, i) => scale * Math.log(1 - (i + 0.5) / visitors) ** 2)
}

/** Tells each page load of a visitor, in the order of time, from 0 up to an instant. */
export function forEachPageLoad(
  visitsPerDay: number,
  until: number,
  random: () => number,
  tell: (at: number, random: () => number) => void,
): void {
  const { pageLoadsPerVisit, betweenPageLoads } = BEHAVIOUR
  const exponential = (mean: number) => -mean * Math.log(1 - random())
  const length = pageLoadsPerVisit * betweenPageLoads
  // From the end of one to the next, so that visit and pause take a visit's share of the day together.
  const pause = Math.max(DAY / visitsPerDay - length, length / 100)
  // Whoever comes rarely may be anywhere in the pause.
  let at = exponential(pause)
  while (at < until) {
    tell(at, random)
    at += random() < 1 / pageLoadsPerVisit ? exponential(pause) : exponential(betweenPageLoads)
  }
}
