/*
 * Serves a site whose requests meet in a process of its own: node meeting-server.ts <by> <kind> <url> <delay>. Answers
 * where it listens: the site as it is, and the same with a store of which each write takes so many milliseconds. Ends
 * with its parent.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { meetingSite } from './meeting-sites.ts'
import type { Kind } from './places.ts'

const [by, kind, url = '', delay] = process.argv.slice(2)

async function serve(delay: number): Promise<string> {
  const server = createServer(await meetingSite(by as 'sojourn' | 'peer', kind as Kind, url, delay))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

process.send?.({ quick: await serve(0), slow: await serve(Number(delay)) })
process.on('disconnect', () => {
  process.exit()
})
