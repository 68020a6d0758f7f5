import type { Cell, Run } from './run.ts'
import { type Spread, spread } from './statistics.ts'
import { bareOf, type Variant } from './variants.ts'
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

  /** What a variant adds, where what the other one adds is 1. */
  share(variant: Variant, other: Variant): Spread {
    const others = this.#added(other)
    return spread(this.#added(variant).map((value, round) => value / (others[round] ?? Number.NaN)))
  }

  /** The figure itself, of this machine. */
  own({ name }: Variant, figure: keyof Cell): Spread {
    return spread((this.#cells[name] ?? []).map((cell) => cell[figure]))
  }

  #added(variant: Variant): number[] {
    return this.#perRound(variant, (cell, bare) => cell.cpuPerRequest - bare.cpuPerRequest)
  }

  #perRound(variant: Variant, figure: (cell: Cell, bare: Cell) => number): number[] {
    const bare = this.#cells[bareOf(variant)] ?? []
    return bare.flatMap((base, round) => {
      const cell = this.#cells[variant.name]?.[round]
      return cell ? [figure(cell, base)] : []
    })
  }
}
