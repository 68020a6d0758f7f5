import { Figures } from './figures.ts'
import type { Run } from './run.ts'
import { type By, besides, type Variant, variants } from './variants.ts'
import { type WorkloadName, workloadNames, workloads } from './workloads.ts'

/** One row of the chart and of the README: Sojourn, and what it is compared with. */
export interface Pair {
  ours: Variant
  other: Variant
}

/** Those that the run measured. @param framework - or of all */
export function pairs(run: Run, by: By, framework?: string): Pair[] {
  const [workload] = measuredIn(run)
  if (!workload) return []
  const figures = new Figures(run, workload)
  return [...variants.values()].flatMap((ours) => {
    const other = ours.name.endsWith('/sojourn') ? besides(ours, by) : undefined
    const isWanted = framework === undefined || ours.framework === framework
    return other && isWanted && figures.has(ours) && figures.has(other) ? [{ ours, other }] : []
  })
}

export function measuredIn(run: Run): WorkloadName[] {
  return workloadNames.filter((name) => run.measured[name])
}

/** `Express` of `Express alone`. */
export function frameworkOf({ framework }: Variant): string {
  return variants.get(`${framework}/bare`)?.title.replace(' alone', '') ?? framework
}

export function titleOf(workload: WorkloadName): string {
  return (workloads[workload].title.split(':')[0] ?? workload).toLowerCase()
}
