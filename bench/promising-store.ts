import type { Store } from 'sojourn'
import { memoryStore } from 'sojourn/memory'

/**
 * Sessions in memory that are answered as a server's client answers: by promises, and all calls of one turn of the event loop in
 * the next one.
 */
export function promisingStore(): Store {
  const memory = memoryStore()
  return {
    read: (key) => later(memory.read(key)),
    create: (key, entry) => later(memory.create(key, entry)),
    update: (key, entry, version) => later(memory.update(key, entry, version)),
    delete: (key) => later(memory.delete(key)),
  }
}

let waiting: (() => void)[] = []

function later<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve) => {
    if (waiting.push(() => resolve(answer)) === 1) setImmediate(() => setImmediate(answerAll))
  })
}

function answerAll(): void {
  const all = waiting
  waiting = []
  for (const answer of all) answer()
}
