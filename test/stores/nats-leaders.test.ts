import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Store, StoredEntry, Version } from '../../src/store.ts'
import { type NatsKvEntry, natsStore } from '../../src/stores/nats.ts'
import { type Fate, TwoLeaders } from './nats-leaders.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const entry = (value: string) => ({ value, expiresAt: Date.now() + 3_600_000, userId: undefined })
const refused: Fate = { answer: 'former leader', arrives: true, after: 1, answeredAfter: -1, behind: 0 }

/** So many milliseconds a request takes, at most, that nothing befalls. */
const MOMENT = 5

/** What comes of it, however long it takes. */
async function outcome<T>(promise: Promise<T>): Promise<T | Error> {
  const settled = promise.catch((error: Error) => error)
  await vi.runAllTimersAsync()
  return settled
}

/** Two processes at one bucket; what is in `fates` befalls the next requests, in turn. */
async function processes() {
  const fates: Fate[] = []
  const kv = new TwoLeaders(() => fates.shift())
  const [store, other] = [natsStore(kv), natsStore(kv)]
  await outcome(store.create('key', entry('0')))
  const read = async (store: Store) => {
    const reading = store.read('key')
    await vi.advanceTimersByTimeAsync(MOMENT)
    return (await reading) as StoredEntry
  }
  const append = async (store: Store, value: string) => {
    const { value: old, version } = await read(store)
    const updating = store.update('key', entry(`${old} ${value}`), version)
    await vi.advanceTimersByTimeAsync(MOMENT)
    return updating
  }
  return { fates, kv, store, other, read, append }
}

describe('nats, while two servers believe that they lead', () => {
  it('tells that a write is stored which one of them has refused', async () => {
    const { fates, store, read } = await processes()
    const { version } = await read(store)
    fates.push(refused)
    expect(await outcome(store.update('key', entry('1'), version))).toEqual({ version: expect.anything() })
    expect(await read(store)).toMatchObject({ value: '1' })
  })

  it('tells it however often another process has written since, and lets nobody write over theirs', async () => {
    const { fates, store, read, append, other } = await processes()
    const { version } = await read(store)
    fates.push({ ...refused, answeredAfter: 500 })
    const updating = store.update('key', entry('0 1'), version)
    await vi.advanceTimersByTimeAsync(MOMENT)
    for (let value = 2; value < 40; value++) await append(other, String(value))
    const updated = (await outcome(updating)) as { version: Version }
    expect(updated).toEqual({ version: expect.anything() })
    const { value } = await read(store)
    expect(value).toMatch(/^0 1 2 3 .* 39$/)
    expect(await outcome(store.update('key', entry('over'), updated.version))).toMatchObject({
      current: { value },
    })
  })

  it('writes what one has refused and the other has not got, whatever the former leader still shows', async () => {
    const { fates, store, read, append } = await processes()
    await append(store, '1')
    const { version } = await read(store)
    const lost = { ...refused, arrives: false }
    for (const behind of [1, Number.POSITIVE_INFINITY, 0]) fates.push(lost, { ...refused, behind })
    expect(await outcome(store.update('key', entry('0 1 2'), version))).toEqual({
      version: expect.anything(),
    })
    expect(await read(store)).toMatchObject({ value: '0 1 2' })
  })

  it('answers what another process has written first, however often', async () => {
    const { fates, store, read, append, other } = await processes()
    const { version } = await read(store)
    for (let value = 1; value < 40; value++) await append(other, String(value))
    fates.push(refused)
    const updated = await outcome(store.update('key', entry('mine'), version))
    const { value } = await read(store)
    expect(value).toMatch(/^0 1 2 3 .* 39$/)
    expect(updated).toMatchObject({ current: { value } })
  })

  it('says that nobody knows when more processes have written since than an entry remembers', async () => {
    const { fates, kv, store, read, append } = await processes()
    const { version } = await read(store)
    fates.push({ ...refused, answeredAfter: 500 })
    const updating = store.update('key', entry('0 mine'), version)
    await vi.advanceTimersByTimeAsync(MOMENT)
    for (let process = 0; process < 17; process++) await append(natsStore(kv), String(process))
    expect(String(await outcome(updating))).toMatch(/^Error: NATS failed to write: .* nobody knows whether/)
    expect(kv.refusedAndStored).toBe(1)
  })

  it('knows it of more processes, too, where it has heard of a newer revision before it writes', async () => {
    const { fates, kv, store, read, append } = await processes()
    const { version } = await read(store)
    for (let process = 0; process < 17; process++) await append(natsStore(kv), String(process))
    const { value } = await read(store)
    fates.push(refused)
    expect(await outcome(store.update('key', entry('mine'), version))).toMatchObject({ current: { value } })
  })

  it('keeps the names of 16 processes at most, and of none whose write was 10,000 revisions ago', async () => {
    const { fates, kv, store, other, read, append } = await processes()
    const names = async () => {
      const found = await outcome(kv.get('s.kkey'))
      return Buffer.from((found as NatsKvEntry).value)
        .toString()
        .split('\n', 1)[0]
        ?.split(',')
        .slice(1).length
    }
    for (let process = 0; process < 20; process++) await append(natsStore(kv), String(process))
    expect(await names()).toBe(16)
    kv.pass(10_000)
    const { version } = await read(store)
    await append(other, 'later')
    await append(natsStore(kv), 'later')
    expect(await names()).toBe(2)
    // That is enough for those who begin now.
    fates.push(refused)
    const { value } = await read(other)
    expect(await outcome(store.update('key', entry('mine'), version))).toMatchObject({ current: { value } })
  })

  it('does not bring back a session that was stored and deleted while its maker waited', async () => {
    const { fates, kv, store, other } = await processes()
    fates.push({ ...refused, answer: 'nobody', answeredAfter: 500 })
    const creating = store.create('new', entry('v'))
    await vi.advanceTimersByTimeAsync(MOMENT)
    await other.delete('new')
    expect(String(await outcome(creating))).toMatch(/^Error: NATS failed to write: .* nobody knows whether/)
    expect(await outcome(kv.get('s.knew'))).toMatchObject({ operation: 'PURGE' })
  })
})

const fate: fc.Arbitrary<Fate> = fc.record({
  answer: fc.constantFrom('leader', 'leader', 'former leader', 'nobody'),
  arrives: fc.boolean(),
  after: fc.nat({ max: 30 }),
  answeredAfter: fc.integer({ min: -30, max: 300 }),
  behind: fc.nat({ max: 3 }),
})

describe('processes that update one session of nats while two servers believe that they lead', () => {
  it('store each update once that is acknowledged, and none twice', async () => {
    let [acknowledged, unknown, contradicted] = [0, 0, 0]
    const property = fc.asyncProperty(fc.array(fate, { minLength: 30, maxLength: 90 }), async (fates) => {
      const kv = new TwoLeaders(() => fates.shift())
      const told = new Set<string>()
      const first = natsStore(kv)
      // Until it is there nothing befalls it: a session whose beginning nobody knows of is another matter.
      const befalling = fates.splice(0)
      await outcome(first.create('key', entry('begun')))
      fates.push(...befalling)
      const [shared, ...own] = [natsStore(kv), natsStore(kv), natsStore(kv)]
      const site = async (name: string, store: Store = shared as Store) => {
        for (let number = 0; number < 4; number++) {
          const id = `${name}${number}`
          try {
            await append(store, id)
            told.add(id)
          } catch (error) {
            expect(String(error)).toMatch(/^Error: NATS failed to (read|write): /)
            unknown++
          }
        }
      }
      expect(
        await outcome(Promise.all([site('a'), site('b'), site('c', own[0]), site('d', own[1])])),
      ).not.toBeInstanceOf(Error)
      const { value } = (await outcome(first.read('key'))) as StoredEntry
      const [, ...ids] = value.split(' ')
      expect([...new Set(ids)]).toEqual(ids)
      expect(ids).toEqual(expect.arrayContaining([...told]))
      acknowledged += told.size
      contradicted += kv.refusedAndStored
    })
    await fc.assert(property, { numRuns: 200 })
    // It was about something.
    expect(acknowledged).toBeGreaterThan(unknown)
    expect(contradicted).toBeGreaterThan(200)
  })
})

/** As the core does: on the state that another one has written first, until none is. */
async function append(store: Store, id: string): Promise<void> {
  let base = await store.read('key')
  while (base) {
    const result = await store.update('key', entry(`${base.value} ${id}`), base.version)
    if (!result) break
    if ('version' in result) return
    base = result.current
  }
  throw new Error('There is no session any more')
}
