import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import { storeContract } from '../../src/testing/store-contract.ts'
import type { StoreHarness } from '../../src/testing/store-harness.ts'
import { FAULTS, faulty } from './broken-stores.ts'

function harness(open: StoreHarness['open']): StoreHarness {
  return {
    prepare: () => undefined,
    open,
    expiry: 'given',
    shared: false,
    abilities: { purge: true, ofUser: true, close: true },
  }
}

async function failures(harness: StoreHarness): Promise<string[]> {
  const names: string[] = []
  for (const { name, skip, run } of storeContract(harness)) {
    if (!skip) await run().catch(() => names.push(name))
  }
  return names
}

describe('the store contract finds', () => {
  it('nothing in a store that is right', async () => {
    expect(await failures(harness((_, clock) => memoryStore({ clock })))).toEqual([])
  })

  it.each(Object.entries(FAULTS).map(([name, [finds, fault]]) => ({ name, finds, fault })))(
    '$name',
    async ({ finds, fault }) => {
      const found = await failures(harness((_, clock) => faulty(fault, clock)))
      expect(
        found.some((name) => name.includes(finds)),
        `found only: ${found.join('; ')}`,
      ).toBe(true)
    },
  )

  it('an ability that is not there', async () => {
    const found = await failures(
      harness((_, clock) => {
        const { purge: _purge, ...store } = faulty(() => ({}), clock)
        return store
      }),
    )
    expect(found).toContain('has the abilities that it is said to have')
  })

  it('a backend that is not shared although it should be', async () => {
    const found = await failures({ ...harness((_, clock) => memoryStore({ clock })), shared: true })
    expect(found).toContain('shows what one store has written to another on the same backend at once')
  })

  it('a damaged row that is handed out', async () => {
    const asIfNothing = { ...harness((_, clock) => memoryStore({ clock })), breakEntry: () => undefined }
    expect(await failures(asIfNothing)).toEqual([
      'makes no entry of what is damaged, and goes on with the others',
    ])
  })

  it('a damaged row that hides the others', async () => {
    let store = memoryStore()
    let damaged = false
    const ofUser = async (userId: string) => {
      if (damaged) throw new SyntaxError('Unexpected end of input')
      return store.ofUser(userId)
    }
    const found = await failures({
      ...harness((_, clock) => {
        damaged = false
        store = memoryStore({ clock })
        return faulty(() => ({ ofUser, purge: store.purge.bind(store) }), clock, store)
      }),
      async breakEntry(_, key) {
        damaged = true
        await store.delete(key)
      },
    })
    expect(found).toEqual(['makes no entry of what is damaged, and goes on with the others'])
  })

  it('a limit that is not told, or not as a session that is too large', async () => {
    const finds =
      'keeps a value as large as its backend takes, and refuses a larger one, which changes nothing'
    const limited = { ...harness((_, clock) => memoryStore({ clock })), maxBytes: 100_000 }
    expect(await failures(limited)).toEqual([finds])
    const failing = { ...harness((_, clock) => memoryStore({ clock, maxBytes: 300_000 })), maxBytes: 100_000 }
    expect(await failures(failing)).toEqual([finds])
  })

  it('a process that does not end', async () => {
    const restless = {
      ...harness(() => memoryStore()),
      worker: () => ({ file: new URL('./workers/restless.ts', import.meta.url).pathname }),
    }
    const contractCase = storeContract(restless).find(({ name }) => name.includes('a process end'))
    await expect(contractCase?.run()).rejects.toThrow('did not end by itself')
  })
})

describe('a case that does not apply', () => {
  it('says why, and does not pass', async () => {
    const cases = storeContract(harness(() => memoryStore()))
    const skipped = cases.filter(({ skip }) => skip)
    expect(skipped.map(({ skip }) => skip)).toContain(
      'there is no table or the like to remove (`removeSchema`)',
    )
    expect(skipped.map(({ skip }) => skip)).toContain('each store has entries of its own')
    for (const { run } of skipped) await expect(run()).rejects.toThrow('Not applicable')
  })
})
