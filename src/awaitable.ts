/** What is known already, or will be. Only promises of our own: what a store answers is wrapped by one before. */
export type Awaitable<T> = T | Promise<T>

/** Goes on with a value: at once where it is known, since each promise that need not be costs a request its share. */
export function after<T, Result>(
  value: Awaitable<T>,
  goOn: (value: T) => Awaitable<Result>,
): Awaitable<Result> {
  return value instanceof Promise ? value.then(goOn) : goOn(value)
}
