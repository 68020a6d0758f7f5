import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { sqliteSchema, sqliteStore } from '../../src/stores/sqlite.ts'
import { sojourn } from './sojourn.ts'

describe('sojourn', () => {
  it('explains itself', async () => {
    const { code, stdout, stderr } = await sojourn(['--help'])
    expect(code).toBe(0)
    expect(stderr).toBe('')
    for (const command of [
      'secret',
      'schema <dialect>',
      'purge <store-url>',
      'inspect <store-url> <handle>',
    ]) {
      expect(stdout).toContain(command)
    }
  })

  it.each(['secret', 'schema', 'purge', 'inspect'])('explains %s', async (command) => {
    const { code, stdout } = await sojourn([command, '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain(`Usage: sojourn ${command}`)
    expect(stdout).toContain('--json')
  })

  it('tells its version', async () => {
    expect(await sojourn(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
  })

  it.each([
    [[], 'no command given'],
    [['sceret'], '"sceret" is not a command; did you mean "secret"?'],
    [['frobnicate'], '"frobnicate" is not a command; there are: secret, schema, purge, inspect'],
    [['constructor'], '"constructor" is not a command'],
    [['secret', '--jsn'], 'there is no option "jsn"; did you mean "--json"?'],
    [['secret', 'more'], 'unexpected argument "more"'],
    [['schema'], '<dialect> is missing'],
    [['schema', 'sqlit'], 'did you mean "sqlite"?'],
    [['schema', 'oracle'], '"oracle" is no dialect that Sojourn knows; there are: sqlite'],
    [['schema', 'sqlite', '--table'], "'--table <value>' argument missing"],
    [['purge'], '<store-url> is missing'],
    [['purge', 'memory:'], 'the memory store lives inside the process of the site'],
    [['purge', 'mongo://me:hunter2@db'], 'No store is named "mongo:"'],
    [['purge', '/some/path'], 'The store URL has no scheme; there are: "sqlite:<path>"'],
    [['purge', 'sqlite:'], '"sqlite:" must be followed by a path'],
    [['purge', 'sqlite://data.db'], 'Write "sqlite:" and the path without "//"'],
    [['inspect', 'sqlite:x.db'], '<handle> is missing'],
    [['inspect', 'sqlite:x.db', 'short'], '<handle> must be 22 letters'],
    [
      ['inspect', 'sqlite:x.db', `${'k'.repeat(22)}.${'s'.repeat(32)}`],
      'give what stands before the dot alone',
    ],
  ])('%j is a wrong call', async (args, message) => {
    const { code, stdout, stderr } = await sojourn(args)
    expect(stderr).toContain(message)
    expect(stderr).not.toMatch(/hunter2|ssss|at \w+ \(/)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })
})

describe('sojourn secret', () => {
  it('prints 32 new random bytes each time', async () => {
    const [first, second] = await Promise.all([sojourn(['secret']), sojourn(['secret'])])
    expect(first.stdout).toMatch(/^[\w-]{43}\n$/)
    expect(Buffer.from(first.stdout, 'base64url')).toHaveLength(32)
    expect(second.stdout).not.toBe(first.stdout)
  })

  it('prints JSON', async () => {
    const { stdout } = await sojourn(['secret', '--json'])
    expect(JSON.parse(stdout)).toEqual({ secret: expect.stringMatching(/^[\w-]{43}$/) })
  })
})

describe('sojourn schema', () => {
  it('prints statements that make the table the store uses', async () => {
    const { code, stdout } = await sojourn(['schema', 'sqlite', '--table', 'visits'])
    expect(code).toBe(0)
    const database = new DatabaseSync(':memory:')
    database.exec(stdout)
    const store = sqliteStore(database, { table: 'visits' })
    await store.create('key', { value: 'kept', expiresAt: Date.now() + 1000, userId: undefined })
    expect(await store.read('key')).toMatchObject({ value: 'kept' })
    database.close()
  })

  it('prints JSON', async () => {
    const { stdout } = await sojourn(['schema', 'sqlite', '--json'])
    expect(JSON.parse(stdout)).toEqual({ dialect: 'sqlite', table: 'sessions', sql: sqliteSchema().trim() })
  })
})
