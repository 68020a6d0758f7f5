/** What is known already, or will be. Only promises of our own: what a store answers is wrapped by one before. */
export type Awaitable<T> = T | Promise<T>

/** Goes on with a value: at once where it is known, since each promise that need not be costs a request its share. */
export function after<T, Result>(
  value: Awaitable<T>,
  goOn: (value: T) => Awaitable<Result>,
): Awaitable<Result> {
  return value instanceof Promise ? value.then(goOn) : goOn(value)
}

/** Runs an action, and goes on with its error where it throws or its promise rejects. */
export function rescued<T>(
  action: () => Awaitable<T>,
  rescue: (error: unknown) => Awaitable<T>,
): Awaitable<T> {
  try {
    const value = action()
    return value instanceof Promise ? value.catch(rescue) : value
  } catch (error) {
    return rescue(error)
  }
}
