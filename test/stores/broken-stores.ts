import type { Entry, KeyedEntry, StoredEntry, UpdateResult } from '../../src/store.ts'
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts'

type Overrides = Partial<MemoryStore>

/** Makes, out of a store that is right, one that has a fault. */
export type Fault = (right: MemoryStore, clock: () => number) => Overrides

/** Faults that stores have had, each with a word of the case that has to find it. */
export const FAULTS: Readonly<Record<string, readonly [finds: string, fault: Fault]>> = {
  'an update that creates': [
    'comes after its deletion',
    (right) => ({
      async update(key, entry, version) {
        const result = await right.update(key, entry, version)
        if (result) return result
        return { version: (await right.create(key, entry)) ?? 0 }
      },
    }),
  ],
  'an update that asks for no version': [
    'for an old version',
    (right) => ({
      async update(key, entry) {
        const current = await right.read(key)
        return current && right.update(key, entry, current.version)
      },
    }),
  ],
  'an update that checks first and writes then': [
    'two updaters',
    (right) => ({
      async update(key, entry, version) {
        const current = await right.read(key)
        if (current?.version !== version) return current && { current }
        await new Promise(setImmediate)
        const now = await right.read(key)
        return now && right.update(key, entry, now.version)
      },
    }),
  ],
  'a creation that checks first and writes then': [
    'two creators',
    (right) => ({
      async create(key, entry) {
        if (await right.read(key)) return undefined
        await new Promise(setImmediate)
        await right.delete(key)
        return right.create(key, entry)
      },
    }),
  ],
  'a creation that replaces': [
    'under a key that is taken',
    (right) => ({
      async create(key, entry) {
        await right.delete(key)
        return right.create(key, entry)
      },
    }),
  ],
  'a conflict that tells nothing': [
    'answers the entry as it is now',
    (right) => ({
      async update(key, entry, version) {
        const result = await right.update(key, entry, version)
        return result && 'version' in result ? result : undefined
      },
    }),
  ],
  'a version that stays the same': [
    'a new version each time',
    (right) => ({
      async update(key, entry, version) {
        const result = await right.update(key, entry, version)
        return result && 'version' in result ? { version } : result
      },
    }),
  ],
  'an expiry one millisecond late': [
    'at its millisecond',
    (_, clock) => memoryStore({ clock: () => clock() - 1 }),
  ],
  'an expiry one millisecond early': [
    'at its millisecond',
    (_, clock) => memoryStore({ clock: () => clock() + 1 }),
  ],
  'an expiry by the clock of the backend': ['five minutes fast', () => memoryStore()],
  'a lifetime above 30 days that is taken for a date': [
    '31 days',
    (right, clock) => ({
      async create(key, entry) {
        const version = await right.create(key, entry)
        if (entry.expiresAt - clock() > 30 * 86_400_000) await right.delete(key)
        return version
      },
    }),
  ],
  'a lifetime below a second that lasts for ever': [
    '500 ms',
    (right, clock) => ({
      create: (key, entry) => right.create(key, { ...entry, expiresAt: neverIfShort(entry, clock()) }),
    }),
  ],
  'a value that ends at a NUL': [
    'NUL',
    (right) => ({
      update: (key, entry, version) =>
        right.update(key, { ...entry, value: entry.value.split('\0')[0] ?? '' }, version),
    }),
  ],
  'a column too short for the value': [
    'a million bytes',
    (right) => ({
      update: (key, entry, version) =>
        right.update(key, { ...entry, value: entry.value.slice(0, 65_535) }, version),
    }),
  ],
  'a column of seven-bit letters': [
    'letters of all kinds',
    (right) => ({
      update: (key, entry, version) =>
        right.update(key, { ...entry, value: entry.value.replace(/[^\0-\x7f]/g, '?') }, version),
    }),
  ],
  'keys without their case': [
    'by case',
    (right) => ({
      read: (key) => right.read(key.toLowerCase()),
      create: (key, entry) => right.create(key.toLowerCase(), entry),
    }),
  ],
  'entries that are handed out themselves': ['holds no object', () => aliasing()],
  'a user list that keeps who has left': [
    'the user it is bound to now',
    (right) => {
      const ever: KeyedEntry[] = []
      return {
        async update(key, entry, version) {
          const result = await right.update(key, entry, version)
          if (result && 'version' in result) ever.push({ key, ...entry, ...result })
          return result
        },
        ofUser: async (userId) => ever.filter((entry) => entry.userId === userId),
      }
    },
  ],
  'a user list with what has expired': [
    'nor what has expired',
    () => {
      const timeless = memoryStore({ clock: () => 0 })
      return { create: timeless.create.bind(timeless), ofUser: timeless.ofUser.bind(timeless) }
    },
  ],
  'a purge of everything at once': [
    'no more than it is told',
    (right) => ({ purge: () => right.purge(1e9) }),
  ],
  'a purge that does not count': [
    'no more than it is told',
    (right) => ({ purge: async (limit) => void (await right.purge(limit)) as never }),
  ],
  'a purge of what is alive': [
    'the latest expiry',
    (right, clock) => {
      const first = new Map<string, number>()
      return {
        async create(key, entry) {
          first.set(key, entry.expiresAt)
          return right.create(key, entry)
        },
        async purge() {
          const due = [...first].filter(([, expiresAt]) => expiresAt <= clock())
          for (const [key] of due) await right.delete(key)
          return due.length
        },
      }
    },
  ],
  'a version that fits the successor': [
    'its successor',
    () => {
      const versions = new Map<string, number>()
      return counting(versions)
    },
  ],
  'an error when there is nothing to delete': [
    'deletes nothing without an error',
    (right) => ({
      async delete(key) {
        if (!(await right.read(key))) throw new Error('not found')
        return right.delete(key)
      },
    }),
  ],
  'null where nothing is': [
    'does not know',
    (right) => ({ read: async (key) => (await right.read(key)) ?? (null as never) }),
  ],
  'an error at the second close': [
    'twice',
    (right) => {
      let closed = 0
      return {
        async close() {
          if (++closed === 2) throw new Error('closed already')
          await right.close()
        },
      }
    },
  ],
}

/** A store with that fault. */
export function faulty(
  fault: Fault,
  clock: () => number,
  right: MemoryStore = memoryStore({ clock }),
): MemoryStore {
  const overrides = fault(right, clock)
  const verb = <V extends keyof MemoryStore>(name: V): MemoryStore[V] =>
    ((overrides[name] ?? right[name]) as () => never).bind(
      overrides[name] ? overrides : right,
    ) as MemoryStore[V]
  return {
    read: verb('read'),
    create: verb('create'),
    update: verb('update'),
    delete: verb('delete'),
    purge: verb('purge'),
    ofUser: verb('ofUser'),
    close: verb('close'),
  }
}

function neverIfShort({ expiresAt }: Entry, now: number): number {
  return expiresAt - now < 1000 ? Number.MAX_SAFE_INTEGER : expiresAt
}

function aliasing(): Overrides {
  const entries = new Map<string, StoredEntry>()
  return {
    read: async (key) => entries.get(key),
    async create(key, entry) {
      entries.set(key, Object.assign(entry, { version: 1 }))
      return 1
    },
    async update(key, entry, version): Promise<UpdateResult | undefined> {
      const current = entries.get(key)
      if (current?.version !== version) return current && { current }
      entries.set(key, Object.assign(entry, { version: Number(version) + 1 }))
      return { version: Number(version) + 1 }
    },
  }
}

/** Counts the versions of each key from one. */
function counting(versions: Map<string, number>): Overrides {
  const entries = new Map<string, Entry>()
  const current = (key: string): StoredEntry | undefined => {
    const entry = entries.get(key)
    return entry && { ...entry, version: versions.get(key) ?? 0 }
  }
  const set = (key: string, entry: Entry, version: number): number => {
    entries.set(key, { ...entry })
    versions.set(key, version)
    return version
  }
  return {
    read: async (key) => current(key),
    create: async (key, entry) => (entries.has(key) ? undefined : set(key, entry, 1)),
    async update(key, entry, version) {
      const now = current(key)
      if (now?.version !== version) return now && { current: now }
      return { version: set(key, entry, Number(version) + 1) }
    },
    async delete(key) {
      entries.delete(key)
    },
  }
}
