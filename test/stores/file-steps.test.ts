import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Entry, StoredEntry, UpdateResult } from '../../src/store.ts'
import { type FileStore, fileStore } from '../../src/stores/file.ts'
import { dieAt, interruptAt } from './file-steps.ts'
import { folderOfTest } from './temporary.ts'

// Every rule of the file store rests on the order of its steps, so each is tried with a crash, and with another process,
// between any two steps.

// Its hash begins with 00, so a purge comes to it at once.
const key = 'AbCdEfGhIjKlMnOpQr0305'
const START = 1_800_000_000_000
let now = START

function entry(value: string, changes: Partial<Entry> = {}): Entry {
  return { value, expiresAt: START + 60_000, userId: 'alice', ...changes }
}

function open(folder: string): FileStore {
  return fileStore(folder, { clock: () => now })
}

interface Setting {
  a: FileStore
  b: FileStore
  folder: string
  old: StoredEntry
}

/** Two stores, as two processes would have them, on a folder with one entry. */
async function set(expired = false): Promise<Setting> {
  now = START
  const folder = folderOfTest()
  const [a, b] = [open(folder), open(folder)]
  const version = await a.create(key, entry('old'))
  if (version === undefined) throw new Error('not created')
  if (expired) now = START + 60_000
  return { a, b, folder, old: { ...entry('old'), version } }
}

type Work = (store: FileStore, setting: Setting) => Promise<unknown>

const update: Work = (store, { old }) => store.update(key, entry('new', { userId: 'bob' }), old.version)
const create: Work = (store) => store.create(key, entry('created', { expiresAt: START + 120_000 }))
const remove: Work = (store) => store.delete(key)
const purge: Work = (store) => store.purge(10)
const list: Work = (store) => store.ofUser('alice')

/** The files that are there, by kind. */
function count(folder: string): Record<string, number> {
  const counts: Record<string, number> = { data: 0, token: 0, mark: 0 }
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || file.parentPath.startsWith(join(folder, 'new'))) continue
    const kind = file.name.includes('.') ? file.name.slice(0, file.name.indexOf('.')) : 'mark'
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

/** What must hold whatever has happened: lists and reads agree, the entry can be used, and nothing is left over. */
async function expectSound({ b, folder }: Setting): Promise<void> {
  const current = await b.read(key)
  for (const user of ['alice', 'bob']) {
    const listed = (await b.ofUser(user)).map(({ value }) => value)
    expect(listed).toEqual(current?.userId === user ? [current.value] : [])
  }
  if (current) {
    const next = await b.update(key, entry('next', { expiresAt: now + 60_000 }), current.version)
    expect(next).toHaveProperty('version')
  } else {
    expect(await b.create(key, entry('next', { expiresAt: now + 60_000 }))).toBeDefined()
  }
  await b.purge(10)
  expect((await b.read(key))?.value).toBe('next')
  expect(count(folder)).toEqual({ data: 1, token: 1, mark: 1 })
  await b.delete(key)
  await b.purge(10)
  expect(count(folder)).toEqual({ data: 0, token: 0, mark: 0 })
}

describe('a crash between any two steps leaves either the old state or the new one:', () => {
  it.each([
    { name: 'update', work: update, expired: false, outcomes: ['old', 'new'] },
    { name: 'delete', work: remove, expired: false, outcomes: ['old', undefined] },
    { name: 'create', work: create, expired: true, outcomes: [undefined, 'created'] },
    { name: 'purge', work: purge, expired: true, outcomes: [undefined] },
    { name: 'purge of nothing', work: purge, expired: false, outcomes: ['old'] },
    { name: 'ofUser', work: list, expired: false, outcomes: ['old'] },
  ])('$name', async ({ work, expired, outcomes }) => {
    const seen = new Set<string | undefined>()
    for (let step = 0, died = true; died; step++) {
      const setting = await set(expired)
      died = (await dieAt(step, () => work(setting.a, setting))) === 'died'
      const { value } = (await setting.b.read(key)) ?? {}
      expect(outcomes).toContain(value)
      seen.add(value)
      await expectSound(setting)
    }
    expect(seen.size).toBe(outcomes.length)
  })

  it('the first create', async () => {
    for (let step = 0, died = true; died; step++) {
      const setting = await set()
      await setting.a.delete(key)
      died = (await dieAt(step, () => create(setting.a, setting))) === 'died'
      expect(['created', undefined]).toContain((await setting.b.read(key))?.value)
      await expectSound(setting)
    }
  })
})

/** Tries one work with another one between any two of its steps. */
async function interrupt(
  work: Work,
  other: Work,
  expired: boolean,
  check: (mine: unknown, others: unknown, value: string | undefined) => void,
): Promise<void> {
  for (let step = 0, interrupted = true; interrupted; step++) {
    const setting = await set(expired)
    let others: unknown
    const run = async () => {
      others = await other(setting.b, setting)
    }
    const outcome = await interruptAt(step, () => work(setting.a, setting), run)
    interrupted = outcome.interrupted
    if (interrupted) check(outcome.result, others, (await setting.b.read(key))?.value)
    await expectSound(setting)
  }
}

function updated(result: unknown): boolean {
  return result !== undefined && 'version' in (result as UpdateResult)
}

describe('another process between any two steps of', () => {
  const other: Work = (store, { old }) =>
    store.update(key, entry('others', { userId: undefined }), old.version)

  it('an update: an update of the same version; one of them wins, the other knows', async () => {
    await interrupt(update, other, false, (mine, others, value) => {
      expect([mine, others].filter(updated)).toHaveLength(1)
      expect(value).toBe(updated(mine) ? 'new' : 'others')
      const loser = updated(mine) ? others : mine
      expect(loser).toMatchObject({ current: { value } })
    })
  })

  it('an update: a deletion; nothing comes back', async () => {
    await interrupt(update, remove, false, (_, __, value) => expect(value).toBeUndefined())
  })

  it('an update: a deletion and a new creation; the successor stays as it is', async () => {
    const replace: Work = async (store, setting) => {
      // Both before the first `await`, as the other process is not interrupted itself.
      const gone = remove(store, setting)
      const made = create(store, setting)
      await gone
      return made
    }
    await interrupt(update, replace, false, (mine, made, value) => {
      expect(made).toBeDefined()
      expect(value).toBe('created')
      if (!updated(mine)) expect(mine).toMatchObject({ current: { value: 'created' } })
    })
  })

  it('a deletion: an update; it ends all the same', async () => {
    await interrupt(remove, other, false, (_, __, value) => expect(value).toBeUndefined())
  })

  it('a creation in the place of what has expired: another one; one of them wins', async () => {
    const creates: Work = (store) => store.create(key, entry('others', { expiresAt: START + 120_000 }))
    await interrupt(create, creates, true, (mine, others, value) => {
      expect([mine, others].filter((version) => version !== undefined)).toHaveLength(1)
      expect(value).toBe(mine === undefined ? 'others' : 'created')
    })
  })

  it('a purge: a creation in the place of what has expired; it stays', async () => {
    await interrupt(purge, create, true, (_, version, value) => {
      expect(version).toBeDefined()
      expect(value).toBe('created')
    })
  })

  it('a creation in the place of what has expired: a purge; it stays', async () => {
    await interrupt(create, purge, true, (version, _, value) => {
      expect(version).toBeDefined()
      expect(value).toBe('created')
    })
  })

  it('a purge: an update by a process whose clock is late; what it answered stays', async () => {
    const late: Work = async (store, setting) => {
      now = START + 59_999
      const result = update(store, setting)
      now = START + 60_000
      return result
    }
    const extend: Work = (store, setting) =>
      late(
        {
          ...store,
          update: (k, _, v) => store.update(k, entry('extended', { expiresAt: START + 120_000 }), v),
        } as FileStore,
        setting,
      )
    await interrupt(purge, extend, true, (_, result, value) => {
      expect(value).toBe(updated(result) ? 'extended' : undefined)
    })
  })

  it('a read: an update; it sees the entry before or after', async () => {
    const read: Work = (store) => store.read(key)
    await interrupt(read, other, false, (seen) => {
      expect(['old', 'others']).toContain((seen as StoredEntry | undefined)?.value)
    })
  })

  it('a list of a user: changes of that user; nobody is missing afterwards', async () => {
    const away: Work = (store, { old }) => store.update(key, entry('away', { userId: 'bob' }), old.version)
    await interrupt(list, away, false, (_, __, value) => expect(value).toBe('away'))
    await interrupt(away, list, false, (_, __, value) => expect(value).toBe('away'))
  })

  it('a change of the user: the change back by another; the entry is found', async () => {
    const awayAndBack: Work = (store, { old }) => {
      const away = store.update(key, entry('away', { userId: 'bob' }), old.version)
      return away.then((result) =>
        result && 'version' in result ? store.update(key, entry('back'), result.version) : result,
      )
    }
    // The other one's second update comes after the interruption, when this one has lost; the user is right anyhow.
    await interrupt(update, awayAndBack, false, (_, __, value) =>
      expect(['new', 'away', 'back']).toContain(value),
    )
  })
})

it('keeps the folder of an entry no longer than the entry', async () => {
  const setting = await set()
  await setting.a.delete(key)
  const shards = readdirSync(setting.folder).filter((name) => /^[0-9a-f]{2}$/.test(name))
  for (const shard of shards) expect(readdirSync(join(setting.folder, shard))).toEqual([])
  expect(existsSync(setting.folder)).toBe(true)
})
