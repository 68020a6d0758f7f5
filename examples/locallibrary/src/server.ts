import { mkdirSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { App } from './app.ts'
import { Catalogue } from './catalogue.ts'
import { sessions } from './sessions.ts'
import { dataDir, framework, host, openOrRefuse, port } from './settings.ts'

const catalogue = await openOrRefuse('The catalogue', () => {
  mkdirSync(dataDir, { recursive: true })
  return new Catalogue(join(dataDir, 'catalogue.db'))
})

const { serve } = await import(`./frameworks/${framework}.ts`)
const server: Server = await serve(new App(catalogue))

server.once('error', (error) => {
  const taken = 'code' in error && error.code === 'EADDRINUSE'
  console.error(
    taken
      ? `Port ${port} is taken. Choose another: PORT=${port + 1} npm start`
      : `The site cannot listen on ${host}:${port}: ${error.message}`,
  )
  process.exit(1)
})
server.listen(port, host, () => {
  const name = host === '127.0.0.1' || host === '::' || host === '0.0.0.0' ? 'localhost' : host
  console.log(`LocalLibrary: http://${name}:${(server.address() as AddressInfo).port} (stop with Ctrl+C)`)
})

let stopping = false
async function stop(): Promise<void> {
  // Ctrl+C reaches this process from the terminal and from `npm start` as well.
  if (stopping) return
  stopping = true
  setTimeout(() => server.closeAllConnections(), 3000).unref()
  await new Promise((resolve) => server.close(resolve))
  await sessions.close()
  catalogue.close()
}
process.on('SIGINT', stop)
process.on('SIGTERM', stop)
