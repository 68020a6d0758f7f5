/*
 * Serves one variant in a process of its own: node server.ts <variant> <folder> <url>. Answers its port when it listens, and
 * from then on, to any message, the CPU time it has used so far.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { variants } from './variants.ts'

const [name = '', folder = '', url = ''] = process.argv.slice(2)
const variant = variants.get(name)
if (!variant) throw new Error(`No such variant: ${name}`)
const server = createServer(await variant.listener(folder, url))

server.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port)
})
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.(user + system)
})
process.on('disconnect', () => {
  process.exit()
})
