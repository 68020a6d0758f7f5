import { describe, expect, it, vi } from 'vitest'
import { createSessions, type SessionsOptions } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { contents, visitor } from './site.ts'

const anything = {
  null: null,
  'a number': 30,
  NaN: Number.NaN,
  'a bigint': 1n,
  'an empty text': '',
  'a text': 'no such thing',
  'a truth': true,
  'a list': [],
  'an object': {},
  'a cycle': cycle(),
  'a function': () => 'x',
  'a symbol': Symbol('x'),
}

function cycle(): object {
  const self: Record<string, unknown> = {}
  self['self'] = self
  return self
}

/** What each option may be, of the above. */
const allowed: Partial<Record<keyof SessionsOptions, (keyof typeof anything)[]>> = {
  sealed: ['a truth'],
  clock: ['a function'],
  cookie: ['an object'],
}
const options: (keyof SessionsOptions)[] = [
  'store',
  'schema',
  'onInvalid',
  'idleTimeout',
  'absoluteTimeout',
  'cookie',
  'onStaleSet',
  'sealed',
  'onStoreError',
  'storeTimeout',
  'clock',
]

describe.each(options)('the option "%s"', (option) => {
  const wrong = Object.entries(anything).filter(([name]) => !allowed[option]?.includes(name as never))
  it.each(wrong)('refuses %s with its own name', (_, value) => {
    const create = () => createSessions({ [option]: value })
    expect(create).toThrow(TypeError)
    expect(create).toThrow(option)
  })

  it('may be left undefined', () => {
    expect(() => createSessions({ [option]: undefined })).not.toThrow()
  })
})

describe.each(['idleTimeout', 'absoluteTimeout', 'storeTimeout'] as const)('the duration "%s"', (option) => {
  it.each([
    '30',
    '30 m',
    '-30m',
    '0s',
    '0.1ms',
    '30min',
    '1h30m',
    'm',
    ' 30m',
    '30M',
    '1e3s',
    'Infinityd',
    `${'9'.repeat(20)}d`,
  ])('refuses %j', (value) => {
    const create = () => createSessions({ [option]: value })
    expect(create).toThrow(TypeError)
    expect(create).toThrow(`"${option}"`)
  })

  it.each(['1ms', '0.5s', '90s', '30m', '12h', '14d', '2w'])('takes %s', (value) => {
    expect(() => createSessions({ [option]: value })).not.toThrow()
  })
})

describe('options', () => {
  it('refuse a time to wait that timers cannot count, which would let every call fail', () => {
    expect(() => createSessions({ storeTimeout: '25d' })).toThrow(/"storeTimeout".*24 days/)
  })

  it.each([
    ['idleTimout', 'idleTimeout'],
    ['Store', 'store'],
    ['cookies', 'cookie'],
    ['onStaleset', 'onStaleSet'],
    ['seal', 'sealed'],
  ])('that are misspelt as "%s" are told to be "%s"', (name, meant) => {
    expect(() => createSessions({ [name]: undefined } as SessionsOptions)).toThrow(
      `"${name}" is not an option of createSessions; did you mean "${meant}"?`,
    )
  })

  it('that nobody knows are answered with those there are', () => {
    const create = () => createSessions({ ttl: 30 } as SessionsOptions)
    expect(create).toThrow(TypeError)
    for (const option of options) expect(create).toThrow(option)
  })

  it.each([null, 'sid', 5, [], () => ({})])('that are %o are refused', (value) => {
    expect(() => createSessions(value as SessionsOptions)).toThrow(TypeError)
  })

  it('are left as they are, and may be frozen', async () => {
    const cookie = Object.freeze({ name: 'shop' })
    const given = Object.freeze({ store: Object.freeze(memoryStore()), cookie, idleTimeout: '1h' } as const)
    const browser = await visitor(createSessions(given))
    expect(await contents(browser)).toEqual({ began: true })
    expect(given).toEqual({ store: given.store, cookie: { name: 'shop' }, idleTimeout: '1h' })
  })

  it('may be changed afterwards, and nothing changes', async () => {
    const given: SessionsOptions = { cookie: { name: 'shop' } }
    const sessions = createSessions(given)
    given.cookie = { name: 'other' }
    given.sealed = true
    expect((await visitor(sessions)).received[0]).toMatch(/^shop=/)
  })
})

describe('in production', () => {
  it('memory is refused unless it is asked for, and the error names a way out', () => {
    vi.stubEnv('NODE_ENV', 'production')
    expect(() => createSessions()).toThrow(TypeError)
    expect(() => createSessions()).toThrow(/"store".*sqliteStore/s)
    expect(() => createSessions({ store: memoryStore() })).not.toThrow()
  })
})
