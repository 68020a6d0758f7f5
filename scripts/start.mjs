// npm start: sets up what is missing and runs LocalLibrary, on the pinned Node whatever Node the machine has.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { findNode, setUp } from './setup.mjs'

setUp()

const site = join(import.meta.dirname, '../examples/locallibrary/src/server.ts')
const child = spawn(findNode(), [site], { stdio: 'inherit' })
// The site stops in its own time; this process stays until then, so that nobody's prompt comes back too early.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
// A SIGTERM to npm ends npm and its shell, and nobody tells this process: without the shell, nobody wants the site any more.
if (process.env.npm_lifecycle_event) {
  const shell = process.ppid
  setInterval(() => process.ppid === shell || child.kill(), 300).unref()
}
child.on('error', (error) => {
  console.error(error.message)
  process.exitCode = 1
})
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal ? 1 : 0)
})
