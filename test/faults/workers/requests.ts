import { once } from 'node:events'
import { createSessions } from '../../../src/index.ts'
import { Browser } from '../../core/browser.ts'
import type { Requests } from '../../stores/lost-updates.ts'
import { open } from '../source.ts'

interface Data {
  n: number
  [key: `key ${string}`]: number
}

// One process of a site that gets many requests of one session at once, when its standard input ends.
const { name, source, cookie, requests } = JSON.parse(process.argv[2] ?? '') as Requests
const { store, close } = await open(source)
const sessions = createSessions<Data>({ store, storeTimeout: '100s' })

async function together(visit: (browser: Browser<Data>, i: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: requests }, (_, i) => visit(new Browser(sessions, { cookie }), i)))
}

// Opens the connection before the start, as that of a running site is open.
await new Browser(sessions, { cookie }).visit((session) => session.size)
process.stdout.write('ready')
await once(process.stdin.resume(), 'end')
await together((browser, i) => browser.visit((session) => session.set(`key ${name} ${i}`, i)))
await together((browser) => browser.visit((session) => session.update('n', (n = 0) => n + 1)))
await close()
