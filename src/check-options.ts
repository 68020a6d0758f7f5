/** Refuses names that are no options, since a misspelt option would silently be the default. */
export function known(options: object, names: readonly string[], what: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`The options of ${what} must be an object`)
  }
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue
    const near = names.find((candidate) => distance(candidate.toLowerCase(), name.toLowerCase()) <= 2)
    const hint = near ? `did you mean "${near}"?` : `there are: ${names.join(', ')}`
    throw new TypeError(`"${name}" is not an option of ${what}; ${hint}`)
  }
}

/** The value, when it is one of those allowed. @throws TypeError that names the option. */
export function oneOf<T>(value: T, allowed: readonly T[], option: string): T {
  if (allowed.includes(value)) return value
  const list = allowed.map((one) => JSON.stringify(one) ?? 'undefined').join(', ')
  throw new TypeError(`"${option}" must be one of ${list}; got ${JSON.stringify(value)}`)
}

/** The `NODE_ENV` of the process, on runtimes that have one. */
export function environment(): string | undefined {
  return globalThis.process?.env?.['NODE_ENV']
}

/** How many letters must be added, removed or replaced to make one name of the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const replace = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(replace, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
