import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { type MysqlStore, mysqlSchema, mysqlStore } from '../../src/stores/mysql.ts'
import { type Galera, RSYNC, startGalera } from '../servers/galera.ts'
import { type Database, MARIADB, SCHEMA, startDatabase } from '../servers/mysql.ts'
import { describeWith } from '../servers/program.ts'
import { Wire } from '../servers/wire.ts'
import { openClient } from '../stores/mysql-clients.ts'
import { expectClearErrors, expectEndedByThemselves, expectNothingLost, type Report } from './report.ts'
import { Updaters } from './updaters.ts'

/** Each takes the package of its name: half of the processes one, half the other. */
const CLIENTS = ['mysql', 'mariadb'] as const

function expectAllWell(report: Report): void {
  expectNothingLost(report)
  expectClearErrors(report)
  expectEndedByThemselves(report)
}

function urlOf(port: number, scheme: string): string {
  return `${scheme}://clerk:hunter2@127.0.0.1:${port}/${SCHEMA}`
}

function mixed(port: number) {
  return CLIENTS.map((scheme) => ({ url: urlOf(port, scheme) }))
}

/** Somebody with a password, so that it can be looked for. */
const CLERK = ["CREATE USER clerk@'%' IDENTIFIED BY 'hunter2'", `GRANT ALL ON ${SCHEMA}.* TO clerk@'%'`]

describeWith([MARIADB], 'four processes on one MariaDB', () => {
  let database: Database
  beforeAll(async () => {
    database = await startDatabase(MARIADB)
    await database.administer(...CLERK)
  })
  afterAll(() => database?.remove())

  it('lose nothing when it and processes are killed under load, and started again', async () => {
    const updaters = await Updaters.start({ sources: mixed(database.port) })
    // So that a process of each client is among those killed.
    for (let kills = 0; kills < 3; kills++) {
      await updaters.each(10)
      await updaters.kill()
      await updaters.add()
      await database.server.kill()
      await sleep(300)
      await database.server.start()
    }
    await updaters.each(10)
    expectAllWell(await updaters.stop())
  })

  it('lose nothing and count nothing twice when connections are cut', async () => {
    const wire = await Wire.to(database.port)
    onTestFinished(() => wire.close())
    const updaters = await Updaters.start({ sources: mixed(wire.port) })
    for (let cuts = 0; cuts < 5; cuts++) {
      await updaters.each(4)
      wire.cut()
      await updaters.each(4)
      // The writes that are on their way arrive, and nobody hears of it.
      wire.loseAnswers()
      await sleep(100)
      wire.heal()
    }
    await updaters.each(4)
    expectAllWell(await updaters.stop({ url: urlOf(database.port, 'mysql') }))
  })
})

describeWith(
  [MARIADB, RSYNC],
  'four processes on a Galera cluster of three nodes that all take writes',
  () => {
    let galera: Galera
    beforeAll(async () => {
      galera = await startGalera()
      await galera.synced(3)
      await galera.nodes[0]?.administer(...CLERK, `USE ${SCHEMA}`, mysqlSchema())
    }, 600_000)
    afterAll(() => galera?.remove())

    it('purge on all nodes at once', async () => {
      const pools = galera.nodes.map(({ port }) => openClient('mysql2', { port, limit: 10 }))
      onTestFinished(async () => void (await Promise.all(pools.map(({ end }) => end()))))
      const stores = pools.map(({ client }) => mysqlStore(client))
      const [one] = stores as [MysqlStore]
      const old = { value: '', expiresAt: 1, userId: undefined }
      await Promise.all(Array.from({ length: 300 }, (_, i) => one.create(`old ${i}`, old)))
      await one.create('live', { ...old, expiresAt: Date.now() + 600_000 })
      // One that meets the other one too often gives up, and leaves the rest to the next purge.
      await Promise.allSettled(stores.map((store) => store.purge(1000)))
      await one.purge(1000)
      expect(await one.purge(1000)).toBe(0)
      expect(await one.read('live')).toBeDefined()
      const [rows] =
        (await galera.nodes[2]?.administer('SELECT COUNT(*) AS n FROM test.sessions WHERE expires_at = 1')) ??
        []
      expect(rows).toEqual([{ n: 0 }])
    })

    it('show each request what the one before has saved on another node', async () => {
      const pools = galera.nodes.map(({ port }) => openClient('mysql2', { port, limit: 2 }))
      onTestFinished(async () => void (await Promise.all(pools.map(({ end }) => end()))))
      const [one, other] = pools.map(({ client }) => mysqlStore(client)) as [MysqlStore, MysqlStore]
      const entry = { value: 'x'.repeat(300), expiresAt: Date.now() + 600_000, userId: 'ada' }
      for (let i = 0; i < 100; i++) {
        const version = (await one.create(`key ${i}`, entry)) ?? 0
        expect(await other.read(`key ${i}`)).toEqual({ ...entry, version })
        const updated = await other.update(`key ${i}`, { ...entry, value: 'new' }, version)
        expect(updated).toEqual({ version: expect.any(Number) })
        expect(await one.update(`key ${i}`, entry, version)).toMatchObject({ current: { value: 'new' } })
        expect(await one.ofUser('ada')).toHaveLength(1)
        await other.delete(`key ${i}`)
        expect(await one.read(`key ${i}`)).toBeUndefined()
      }
    })

    it('lose nothing when a node is killed and comes back', async () => {
      // A process of each client on the third node, which has nowhere to go while that is away.
      const places = [0, 2, 1, 2]
      const sources = places.map((node, i) => ({
        url: urlOf(galera.nodes[node]?.port ?? 0, CLIENTS[i < 2 ? 0 : 1]),
      }))
      const updaters = await Updaters.start({ sources, storeTimeout: '10s', pace: 20 })
      await updaters.each(10)
      const [, , third] = galera.nodes
      await third?.server.kill()
      await sleep(3000)
      await third?.server.start()
      await galera.synced(3)
      await updaters.each(10)
      const report = await updaters.stop()
      expectAllWell(report)
      expect(report.gone).toBe(0)
    })
  },
)
