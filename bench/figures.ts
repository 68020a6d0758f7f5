import type { Cell, Run } from './run.ts'
import { quartiles, type Spread } from './statistics.ts'
import { bareInTurn, bareOf, type Variant } from './variants.ts'
import type { WorkloadName } from './workloads.ts'

/** What adds less than that to the bare framework cannot be told from its own swinging, so nothing is a multiple of it. */
const NOTHING = 0.1

/** What a run says of one workload. Each figure is taken inside each round, since the machine of one is not that of the next. */
export class Figures {
  readonly #cells: Record<string, Cell[]>

  constructor(run: Run, workload: WorkloadName) {
    this.#cells = run.measured[workload] ?? {}
  }

  has({ name }: Variant): boolean {
    return (this.#cells[name] ?? []).length > 0
  }

  /** A figure where the bare framework's is 1. */
  ratio(variant: Variant, figure: keyof Cell): Spread {
    return quartiles(this.#perRound(variant, (cell, bare) => cell[figure] / bare[figure]))
  }

  /** The CPU above the bare framework's, in microseconds a request. */
  added(variant: Variant): Spread {
    return quartiles(this.#added(variant))
  }

  /** Both above what the other one stands on: its own framework, at the end of the turn where it is. */
  addedBeside(variant: Variant, other: Variant): [Spread, Spread] {
    const base = baseOf(other)
    return [quartiles(this.#added(variant, base)), quartiles(this.#added(other, base))]
  }

  /**
   * What a variant adds, where what the other one adds is 1; `undefined` where that is as good as nothing.
   *
   * Of the medians: in a round of which something else took a part, what is added may be anything, and its ratio even more so.
   */
  share(variant: Variant, other: Variant): Spread | undefined {
    const base = baseOf(other)
    const parts = (of: Variant) =>
      quartiles(this.#perRound(of, (cell, bare) => cell.cpuPerRequest / bare.cpuPerRequest - 1, base))
    const [mine, theirs] = [parts(variant), parts(other)]
    if (theirs.low <= 0 || theirs.median < NOTHING) return undefined
    return {
      median: mine.median / theirs.median,
      low: mine.low / (mine.low < 0 ? theirs.low : theirs.high),
      high: mine.high / (mine.high < 0 ? theirs.high : theirs.low),
    }
  }

  /** The figure itself, of this machine. */
  own({ name }: Variant, figure: keyof Cell): Spread {
    return quartiles((this.#cells[name] ?? []).map((cell) => cell[figure]))
  }

  #added(variant: Variant, base = bareOf(variant)): number[] {
    return this.#perRound(variant, (cell, bare) => cell.cpuPerRequest - bare.cpuPerRequest, base)
  }

  #perRound(variant: Variant, figure: (cell: Cell, bare: Cell) => number, base = bareOf(variant)): number[] {
    const bare = this.#cells[base] ?? []
    return bare.flatMap((base, round) => {
      const cell = this.#cells[variant.name]?.[round]
      return cell ? [figure(cell, base)] : []
    })
  }
}

function baseOf(other: Variant): string {
  return other.name.endsWith('-turn') ? bareInTurn(other) : bareOf(other)
}
