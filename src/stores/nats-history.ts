/** The last write of one process: the revision that it replaced, and what it is called. */
interface Write {
  readonly replaced: number
  /** Six characters for the process, and a number for the write. */
  readonly name: string
}

/** So many processes an entry remembers the last write of. */
const LENGTH = 16

/**
 * So many revisions of the whole bucket an entry looks back at least. Where many sessions are written, it need not carry for long
 * what nobody asks for any more.
 */
const REACH = 10_000

/**
 * Who has written an entry, the last one first, as it is kept in front of it.
 *
 * Two servers may believe at once that they lead, and one of them may refuse the very write that the other one stores. So
 * no refusal says what became of a write, but this does: whoever comes next passes on what was there.
 */
export class History {
  readonly #writes: readonly Write[]
  /** What was written after that revision is in the list, unless the same process has written again. */
  readonly #since: number

  private constructor(writes: readonly Write[], since: number) {
    this.#writes = writes
    this.#since = since
  }

  /** That of a new entry. */
  static begin(name: string): History {
    return new History([{ replaced: 0, name }], 0)
  }

  /** What {@link toString} has made; `undefined` for anything else. */
  static parse(text: string): History | undefined {
    if (!/^[0-9a-z]+(,[0-9a-z]+\.[\w-]{7,})+$/.test(text)) return undefined
    const [since = '', ...parts] = text.split(',')
    const writes = parts.map((part) => {
      const [replaced = '', name = ''] = part.split('.')
      return { replaced: Number.parseInt(replaced, 36), name }
    })
    return new History(writes, Number.parseInt(since, 36))
  }

  /** This one with a further write, which is to replace that revision. */
  before(replaced: number, name: string): History {
    const others = this.#writes.filter((write) => writerOf(write.name) !== writerOf(name))
    // A write has at most the revision that the one after it in the list has replaced.
    const isNear = (_: Write, i: number) => replaced - (others[i - 1]?.replaced ?? replaced) < REACH
    const near = others.filter(isNear).slice(0, LENGTH - 1)
    const writes = [{ replaced, name }, ...near]
    const since = near.length < others.length ? Number(writes.at(-1)?.replaced) : this.#since
    return new History(writes, since)
  }

  /**
   * What became of the newest write of this history, by that of an entry which has taken the place of what it was to
   * replace: its revision, or an earlier one where others have written since; `undefined` if it was not stored, and never
   * will be; or that nobody can know.
   * @param revision of that entry
   * @param seen a revision of the bucket that was there before the write was sent, so that its own is a later one
   */
  fateIn(later: History, revision: number, seen: number): number | undefined | 'unknown' {
    const [own = { replaced: 0, name: '' }] = this.#writes
    const at = later.#writes.findIndex(({ name }) => name === own.name)
    if (at >= 0) return at === 0 ? revision : own.replaced
    // No later write of the same process has taken its place in the list: none is sent before this is known.
    return later.#since <= seen ? undefined : 'unknown'
  }

  toString(): string {
    const writes = this.#writes.map(({ replaced, name }) => `${replaced.toString(36)}.${name}`)
    return [this.#since.toString(36), ...writes].join(',')
  }
}

/** Makes names of writes for one process, which no other one has. */
export function names(): () => string {
  const writer = Buffer.from(crypto.getRandomValues(new Uint8Array(6)))
    .toString('base64url')
    .slice(0, WRITER)
  let count = 0
  return () => writer + (count++).toString(36)
}

const WRITER = 6

function writerOf(name: string): string {
  return name.slice(0, WRITER)
}
