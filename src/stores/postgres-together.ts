/** What is asked of one row of the table. */
interface Keyed {
  readonly key: string
}

/** A call that waits for the others of its turn. */
interface Waiting<Call, Answer> {
  readonly call: Call
  readonly answer: Promise<Answer>
  readonly resolve: (answer: Promise<Answer>) => void
}

/** How the calls of one kind are made. */
export interface Ways<Call, Answer> {
  /** Makes one. */
  alone(call: Call): Promise<Answer>
  /**
   * Makes several, of different keys. It answers those that were made by their keys; the others are made alone. It rejects
   * when each of them would.
   */
  all(calls: readonly Call[]): Promise<Map<string, Answer>>
  /** Makes one for whose key another one waits already: a statement has one answer for a row. */
  again(call: Call, first: Promise<Answer>): Promise<Answer>
}

/** So many calls travel in one statement at most, and those of a process that is not there any more hold no more rows. */
const MOST = 64

/**
 * Lets the calls of one turn of the event loop travel in one statement, because much of what a statement costs does not depend on
 * the number of its rows. What has no company is made alone, at the end of the turn: that is when Node.js would look for
 * the answer at the earliest.
 */
export class Together<Call extends Keyed, Answer> {
  readonly #ways: Ways<Call, Answer>
  #waiting = new Map<string, Waiting<Call, Answer>>()

  constructor(ways: Ways<Call, Answer>) {
    this.#ways = ways
  }

  ask(call: Call): Promise<Answer> {
    const waiting = this.#waiting
    const first = waiting.get(call.key)
    if (first) return this.#ways.again(call, first.answer)
    let resolve: Waiting<Call, Answer>['resolve'] = () => undefined
    const answer = new Promise<Answer>((done) => {
      resolve = done
    })
    if (waiting.size === 0) setImmediate(this.#leave)
    waiting.set(call.key, { call, answer, resolve })
    if (waiting.size === MOST) this.#leave()
    return answer
  }

  readonly #leave = (): void => {
    const group = [...this.#waiting.values()]
    this.#waiting = new Map()
    const [first, second] = group
    if (!first) return
    if (!second) {
      first.resolve(this.#ways.alone(first.call))
      return
    }
    const answers = this.#ways.all(group.map(({ call }) => call))
    for (const { call, resolve } of group) resolve(this.#answer(call, answers))
  }

  async #answer(call: Call, answers: Promise<Map<string, Answer>>): Promise<Answer> {
    const made = await answers
    return made.has(call.key) ? (made.get(call.key) as Answer) : this.#ways.alone(call)
  }
}
