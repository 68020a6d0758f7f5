/** A rule by itself. */
export interface Rule {
  /** The rule, as a sentence. */
  name: string
  run(): Promise<void>
}

/** One rule of a contract. It holds when `run()` resolves. */
export interface ContractCase extends Rule {
  /** What the rules around it are about, as a heading. */
  group: string
  /** Why the rule does not apply; then `run` rejects, so that it cannot pass unnoticed. */
  skip: string | undefined
}

/** Puts a rule into its place in a contract. */
export function contractCase(group: string, { name, run }: Rule, skip: string | undefined): ContractCase {
  return { group, name, skip, run: skip ? () => Promise.reject(new Error(`Not applicable: ${skip}`)) : run }
}
