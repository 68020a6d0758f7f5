/*
 * node bench/partitions.ts [sessions]: what calls cost PostgreSQL on a table in partitions, beside one that is whole. CPU of the
 * connection's process, which says nothing of how busy the machine is with other things.
 */
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { type PostgresStore, postgresSchema, postgresStore } from '../src/stores/postgres.ts'
import { Postgres } from '../test/servers/postgres.ts'
import { spread, table } from './statistics.ts'

const [sessions = '200000'] = process.argv.slice(2)
const PARTITIONS = [0, 16, 64]
const TOGETHER = [1, 16, 64]
const ROUNDS = 5
const CALLS = 6400
const LATER = 2_000_000_000_000

const database = await Postgres.start({ shared_buffers: '256MB' })

async function make(partitions: number): Promise<string> {
  const name = `in_${partitions}`
  const whole = postgresSchema(name)
  const script = whole.replace(/WITH \(fillfactor = 95\)/, 'PARTITION BY HASH (key)')
  await database.query(partitions > 0 ? script : whole)
  for (let i = 0; i < partitions; i++) {
    await database.query(
      `CREATE TABLE ${name}_${i} PARTITION OF ${name} FOR VALUES WITH (MODULUS ${partitions}, REMAINDER ${i})
       WITH (fillfactor = 95)`,
    )
  }
  await database.query(
    `INSERT INTO ${name} SELECT 1, ${LATER}, ${LATER / 60_000}, 'key ' || i, repeat('v', 280) FROM generate_series(1, ${sessions}) AS i`,
  )
  await database.query(`VACUUM ANALYZE ${name}`)
  return name
}

/** Microseconds of CPU that the process of a connection has used, in steps of ten thousand. */
function used(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

async function measure(name: string): Promise<string[]> {
  const pool = new pg.Pool({ connectionString: database.url, max: 1 })
  const { rows } = await pool.query('SELECT pg_backend_pid() AS pid')
  const store = postgresStore(pool, { table: name })
  const cpu = async (work: () => Promise<unknown>): Promise<number> => {
    const before = used(rows[0].pid)
    await work()
    return used(rows[0].pid) - before
  }
  const key = (i: number) => `key ${1 + ((i * 7919) % Number(sessions))}`
  const versions = new Map<string, string | number>()
  const read = async (key: string) => {
    versions.set(key, (await store.read(key))?.version ?? '')
  }
  const update = (key: string) =>
    store.update(
      key,
      { value: 'w'.repeat(280), expiresAt: LATER, userId: undefined },
      versions.get(key) ?? '',
    )
  const cells: string[] = []
  for (const width of TOGETHER) {
    const found: Record<'read' | 'update', number[]> = { read: [], update: [] }
    // The first round warms up.
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [verb, call] of Object.entries({ read, update })) {
        const took = await cpu(async () => {
          for (let i = 0; i < CALLS; i += width)
            await Promise.all(Array.from({ length: width }, (_, j) => call(key(i + j))))
        })
        if (round > 0) found[verb as keyof typeof found].push(took / CALLS)
      }
    }
    cells.push(spread(found.read).median.toFixed(0), spread(found.update).median.toFixed(0))
  }
  cells.push(...(await purges(store, name, cpu)))
  await pool.end()
  return cells
}

async function purges(
  store: PostgresStore,
  name: string,
  cpu: (work: () => Promise<unknown>) => Promise<number>,
): Promise<string[]> {
  const nothing = await cpu(async () => {
    for (let i = 0; i < 50; i++) await store.purge(500)
  })
  await database.query(`UPDATE ${name} SET expires_at = 1, purge_minute = 0 WHERE key LIKE '%7'`)
  await database.query(`VACUUM ANALYZE ${name}`)
  let removed = 0
  const took = await cpu(async () => {
    for (let batch = 500; batch === 500; removed += batch) batch = await store.purge(500)
  })
  return [(took / removed).toFixed(0), (nothing / 50 / 1000).toFixed(1)]
}

const rows: string[][] = []
for (const partitions of PARTITIONS) {
  const cells = await measure(await make(partitions))
  rows.push([partitions === 0 ? 'none' : String(partitions), ...cells])
}
await database.remove()
const head = TOGETHER.flatMap((width) => ['read', 'update'].map((verb) => `${verb}, ${width} at once`))
console.log(`${Number(sessions).toLocaleString('en')} sessions; CPU of PostgreSQL, µs a call.\n`)
console.log(table(['partitions', ...head, 'a row purged', 'a purge of nothing, ms'], rows, 'right'))
