import { DAY, type Keeper } from './floors.ts'

const TABLE = 'CREATE TABLE floor (key text PRIMARY KEY, value text NOT NULL, expires_at bigint NOT NULL)'
const READ = 'SELECT value FROM floor WHERE key = $1 AND expires_at > $2'
const WRITE = `INSERT INTO floor VALUES ($1, $2, $3)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`

/** SQLite of Node.js, with the settings of the stores beside it; the writes of one turn of the event loop in one transaction. */
export async function sqliteKeeper(path: string): Promise<Keeper> {
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(path)
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${TABLE} WITHOUT ROWID`)
  const prepare = (sql: string) => database.prepare(sql.replaceAll(/\$\d/g, '?'))
  const [read, write] = [prepare(READ), prepare(WRITE)]
  const [begin, commit] = [prepare('BEGIN IMMEDIATE'), prepare('COMMIT')]
  let queue: { key: string; text: string; done: () => void }[] = []
  const flush = (): void => {
    const batch = queue
    queue = []
    const expiresAt = Date.now() + DAY
    begin.run()
    for (const { key, text } of batch) write.run(key, text, expiresAt)
    commit.run()
    for (const { done } of batch) done()
  }
  return {
    read(key, done) {
      done((read.get(key, Date.now()) as { value: string } | undefined)?.value)
    },
    write(key, text, done) {
      if (queue.push({ key, text, done }) === 1) setImmediate(flush)
    },
  }
}

/** node-redis, which sends the commands of one turn together by itself. */
export async function redisKeeper(url: string): Promise<Keeper> {
  const { createClient } = await import('redis')
  const client = createClient({ url })
  client.on('error', () => undefined)
  await client.connect()
  const life = String(DAY)
  return {
    read(key, done) {
      void client.get(key).then((text) => done(text ?? undefined))
    },
    write(key, text, done) {
      void client.sendCommand(['SET', key, text, 'PX', life]).then(done)
    },
  }
}

/** pg, with named statements. */
export async function postgresKeeper(url: string): Promise<Keeper> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: url })
  pool.on('error', () => undefined)
  await pool.query(TABLE.replace('TABLE', 'TABLE IF NOT EXISTS'))
  return {
    read(key, done) {
      const values = [key, Date.now()]
      void pool.query({ name: 'read', text: READ, values }).then(({ rows }) => done(rows[0]?.value))
    },
    write(key, text, done) {
      const values = [key, text, Date.now() + DAY]
      void pool.query({ name: 'write', text: WRITE, values }).then(() => done())
    },
  }
}
