import type { Cell, Run } from './run.ts'
import { type Spread, spread } from './statistics.ts'
import { bareInTurn, bareOf, type Variant } from './variants.ts'
import type { WorkloadName } from './workloads.ts'

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
    return spread(this.#perRound(variant, (cell, bare) => cell[figure] / bare[figure]))
  }

  /** The CPU above the bare framework's, in microseconds a request. */
  added(variant: Variant): Spread {
    return spread(this.#added(variant))
  }

  /** Both above what the other one stands on: its own framework, at the end of the turn where it is. */
  addedBeside(variant: Variant, other: Variant): [Spread, Spread] {
    const base = baseOf(other)
    return [spread(this.#added(variant, base)), spread(this.#added(other, base))]
  }

  /** What a variant adds, where what the other one adds is 1. */
  share(variant: Variant, other: Variant): Spread {
    const base = baseOf(other)
    const others = this.#added(other, base)
    return spread(this.#added(variant, base).map((value, round) => value / (others[round] ?? Number.NaN)))
  }

  /** The figure itself, of this machine. */
  own({ name }: Variant, figure: keyof Cell): Spread {
    return spread((this.#cells[name] ?? []).map((cell) => cell[figure]))
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
