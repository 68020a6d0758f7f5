import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../../../src/store.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'

/** Each tenth call meets the fault. */
const OFTEN = 10

type Fault = (right: Store, isDue: () => boolean) => Partial<Store>

const FAULTS: Readonly<Record<string, Fault>> = {
  // Acknowledges what it never wrote, as a server does that fails over to one that had not heard of it.
  lost: (right, isDue) => ({
    update: async (key, entry, version) =>
      isDue() ? { version: Number(version) + 1 } : right.update(key, entry, version),
  }),
  // Sends a command again whose answer was lost, as some clients do by themselves; meanwhile others have written.
  doubled: (right, isDue) => ({
    async update(key, entry, version) {
      const result = await right.update(key, entry, version)
      if (!result || !('version' in result) || !isDue()) return result
      await until(async () => (await right.read(key))?.version !== result.version)
      return right.update(key, entry, version)
    },
  }),
  // Writes, and says that there is nothing.
  invented: (right, isDue) => ({
    async update(key, entry, version) {
      const result = await right.update(key, entry, version)
      return isDue() ? undefined : result
    },
  }),
  leaking: (right, isDue) => ({
    async read(key) {
      const entry = await right.read(key)
      if (isDue()) throw new Error(`Cannot read ${entry?.value}`)
      return entry
    },
  }),
  logging: (right, isDue) => ({
    async read(key) {
      const entry = await right.read(key)
      if (isDue()) throw Object.assign(new Error('Cannot read'), { command: [key, entry?.value] })
      return entry
    },
  }),
  restless() {
    setInterval(() => process.uptime(), 1000)
    return {}
  },
}

/** Waits for something that others may do, and not for ever. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100 && !(await isSo()); tries++) await sleep(5)
}

/** A store with a fault that the four processes have to find. */
export function openStore(fault: string, path: string): Store {
  const right = sqliteStore(path)
  let calls = 0
  const faulty = FAULTS[fault]?.(right, () => ++calls % OFTEN === 0)
  return {
    read: right.read.bind(right),
    create: right.create.bind(right),
    update: right.update.bind(right),
    delete: right.delete.bind(right),
    ...faulty,
  }
}
