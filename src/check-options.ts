import { nearest } from './nearest.ts'

/** Refuses names that are no options, since a misspelt option would silently be the default. */
export function known(options: object, names: readonly string[], what: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`The options of ${what} must be an object`)
  }
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue
    const near = nearest(name, names)
    const hint = near ? `did you mean "${near}"?` : `there are: ${names.join(', ')}`
    throw new TypeError(`"${name}" is not an option of ${what}; ${hint}`)
  }
}

/** The value, when it is one of those allowed. @throws TypeError that names the option. */
export function oneOf<T>(value: T, allowed: readonly T[], option: string): T {
  if (allowed.includes(value)) return value
  const list = allowed.map((one) => JSON.stringify(one) ?? 'undefined').join(', ')
  throw new TypeError(`"${option}" must be one of ${list}; got ${shown(value)}`)
}

/** @throws TypeError when it is no function. */
export function checkClock(clock: unknown): void {
  if (typeof clock !== 'function') {
    throw new TypeError('"clock" must be a function that answers milliseconds since 1970')
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  const isObject = value !== null && (typeof value === 'object' || typeof value === 'function')
  return isObject ? `a value of type ${typeof value}` : String(value)
}

/** The `NODE_ENV` of the process, on runtimes that have one. */
export function environment(): string | undefined {
  return globalThis.process?.env?.['NODE_ENV']
}
