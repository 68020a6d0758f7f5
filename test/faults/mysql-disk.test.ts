import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { mysqlStore } from '../../src/stores/mysql.ts'
import { MARIADB, startDatabase } from '../servers/mysql.ts'
import { describeWith } from '../servers/program.ts'
import { openClient } from '../stores/mysql-clients.ts'
import { fill, mayMount, smallDisk } from '../stores/small-disk.ts'

const MEGABYTE = 1_048_576

describeWith([MARIADB], 'MariaDB on a full disk', () => {
  it.runIf(mayMount())(
    'is a clear error of the call that meets it, and takes nothing that was acknowledged',
    async () => {
      const disk = smallDisk(256 * MEGABYTE)
      const database = await startDatabase(MARIADB, {
        folder: { path: disk, remove: () => undefined },
        args: ['--innodb-log-file-size=8M'],
      })
      onTestFinished(() => database.remove())
      const { client, end } = openClient('mysql2', { port: database.port, limit: 4 })
      onTestFinished(end)
      const store = mysqlStore(client)
      const entry = (value: string) => ({ value, expiresAt: Date.now() + 600_000, userId: undefined })
      await store.create('first', entry('small'))

      fill(join(disk, 'ballast'))
      const value = 'x'.repeat(100_000)
      const kept: string[] = []
      let failure: Error | undefined
      for (let i = 0; !failure && i < 2000; i++) {
        await store.create(`key ${i}`, entry(value)).then(
          () => kept.push(`key ${i}`),
          (error: Error) => {
            failure = error
          },
        )
      }
      // What the server does about it is its own affair: on some file systems it refuses the write, on others it ends.
      expect(failure?.message).toMatch(/^MySQL failed to create/)

      rmSync(join(disk, 'ballast'))
      await database.server.kill()
      await database.server.start()
      await expect.poll(() => store.read('first').catch(String)).toMatchObject({ value: 'small' })
      for (const key of kept) expect((await store.read(key))?.value).toBe(value)
      expect(await store.create('again', entry(value))).toBeDefined()
    },
  )
})
