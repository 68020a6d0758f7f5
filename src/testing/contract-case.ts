/** One rule of a contract. It holds when `run()` resolves. */
export interface ContractCase {
  /** The rule, as a sentence. */
  name: string
  run(): Promise<void>
}
