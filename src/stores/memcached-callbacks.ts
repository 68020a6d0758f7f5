import type { Items, Mark, Written } from './memcached-items.ts'

type Done<T> = (error: unknown, result: T) => void

/** What is used of a client of the package `memcached`. */
export interface MemcachedClient {
  get(key: string, done: Done<unknown>): void
  gets(key: string, done: Done<{ cas: string } | undefined>): void
  add(key: string, value: string, lifetime: number, done: Done<boolean>): void
  cas(key: string, value: string, cas: string, lifetime: number, done: Done<boolean>): void
  del(key: string, done: Done<boolean>): void
}

/** Items by the methods of the older client. */
export class CallbackItems implements Items {
  readonly #client: MemcachedClient

  constructor(client: MemcachedClient) {
    this.#client = client
  }

  async get(key: string): Promise<string | undefined> {
    return textOf(await answer((done) => this.#client.get(sent(key), done)))
  }

  async gets(key: string): Promise<{ data: string; mark: Mark } | undefined> {
    const found = await answer<Record<string, unknown> & { cas: string }>((done) =>
      this.#client.gets(sent(key), done as Done<{ cas: string } | undefined>),
    )
    if (!found) return undefined
    const data = textOf(found[key])
    if (data === undefined) throw new Error('The client answered for another key')
    return { data, mark: { cas: found.cas, connection: undefined } }
  }

  async add(key: string, data: string, exptime: number): Promise<Written | undefined> {
    try {
      // It answers false, and no error, when the server had one.
      if (await answer((done) => this.#client.add(sent(key), data, exptime, done))) return { mark: undefined }
    } catch (error) {
      if ((error as { notStored?: unknown }).notStored) return undefined
      throw error
    }
    throw new Error('The server refused to store an item')
  }

  async cas(key: string, data: string, exptime: number, mark: Mark): Promise<Written | undefined> {
    const isStored = await answer((done) => this.#client.cas(sent(key), data, mark.cas, exptime, done))
    return isStored ? { mark: undefined } : undefined
  }

  async delete(key: string): Promise<void> {
    await answer((done) => this.#client.del(sent(key), done))
  }

  size(data: string): number {
    // The client escapes ends of lines by a backslash.
    return Buffer.byteLength(data) + (data.match(/[\r\n]/g)?.length ?? 0)
  }
}

/** The client takes the key for the replacement of a pattern, where `$` has a meaning. */
function sent(key: string): string {
  return key.replaceAll('$', '$$$$')
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function answer<T>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, result) => {
      if (error) reject(errorOf(error))
      else resolve(result)
    })
  })
}

/** The client answers an error, several of them, or a sentence. */
function errorOf(error: unknown): Error {
  const [first] = Array.isArray(error) ? error : [error]
  if (!(first instanceof Error)) return new Error(String(first))
  // It repeats what it did not understand, which may be a piece of a session.
  return /unknown response/i.test(first.message) ? new Error('The server answered something else') : first
}
