import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { openDatabase } from './databases.ts'
import { folderOfTest } from './temporary.ts'

function entry(value = '{}') {
  return { value, expiresAt: Date.now() + 60_000, userId: undefined }
}

it('what is asked for in one go is written before others go on, and who writes without a rest does not stop them', async () => {
  const store = sqliteStore(':memory:')
  await store.create('first', entry())
  const seen: string[] = []
  setImmediate(() => seen.push('others'))
  for (const round of ['written', 'again']) {
    await Promise.all([store.create(`one ${round}`, entry()), store.create(`two ${round}`, entry())])
    seen.push(round)
  }
  expect(seen).toEqual(['written', 'others', 'again'])
  await store.close()
})

describe('reads by a path', () => {
  async function stores() {
    const path = join(folderOfTest(), 'sessions.db')
    const [store, other] = [sqliteStore(path), sqliteStore(path)]
    const keys = ['one', 'two', 'three']
    for (const key of keys) await store.create(key, entry('old'))
    const readAll = () => Promise.all(keys.map(async (key) => (await store.read(key))?.value))
    return { path, store, other, readAll }
  }

  it('see what another connection has written since the last ones', async () => {
    const { store, other, readAll } = await stores()
    expect(await readAll()).toEqual(['old', 'old', 'old'])
    await other.delete('two')
    await other.create('two', entry('new'))
    expect(await readAll()).toEqual(['old', 'new', 'old'])
    await Promise.all([store.close(), other.close()])
  })

  it('leave no transaction open, which would keep the log from being emptied', async () => {
    const { path, store, other, readAll } = await stores()
    await readAll()
    const third = await openDatabase('node:sqlite', path)
    expect(third.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()).toMatchObject({ busy: 0 })
    third.close()
    await Promise.all([store.close(), other.close()])
  })

  it('hold back no write that comes in the same go', async () => {
    const { store, other, readAll } = await stores()
    const seen: string[] = []
    setImmediate(() => seen.push('others'))
    let written: Promise<unknown> | undefined
    process.nextTick(() => {
      written = Promise.all([store.delete('one'), store.delete('two')]).then(() => seen.push('written'))
    })
    await new Promise<void>((resolve) => process.nextTick(() => void readAll().then(() => resolve())))
    await written
    expect(seen).toEqual(['written'])
    await Promise.all([store.close(), other.close()])
  })

  it('may be followed by a write, or the end, in the same go', async () => {
    const { store, other, readAll } = await stores()
    const [values, , late] = await Promise.all([readAll(), store.delete('one'), readAll(), store.close()])
    expect(values).toEqual(['old', 'old', 'old'])
    expect(late).toEqual(['old', 'old', 'old'])
    expect(await other.read('one')).toBeUndefined()
    await other.close()
  })
})
