import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * The path of a Node 20, the oldest line the library runs on: `NODE20` names it, else it is on the PATH behind the
 * Node of the tools, else npm brings it. `undefined` where there is none to be had.
 * @throws where nothing may be skipped, since `CI` is set.
 */
export function findNode20(): string | undefined {
  const onPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .map((folder) => join(folder, 'node'))
  const given = process.env['NODE20']
  const found = (given ? [given] : onPath.filter((file) => existsSync(file))).find(isNode20) ?? fromNpm()
  if (!found && process.env['CI']) throw new Error('There is no Node 20 here: name one in NODE20')
  return found
}

function fromNpm(): string | undefined {
  const [npm, ...args] = ['npm', 'exec', '--yes', '--package=node@20', '--', 'node', '-p', 'process.execPath']
  const path = output(npm, args, { shell: process.platform === 'win32' })
  return path && isNode20(path) ? path : undefined
}

function isNode20(node: string): boolean {
  return output(node, ['--version'])?.startsWith('v20.') ?? false
}

function output(command: string, args: string[], options: { shell?: boolean } = {}): string | undefined {
  try {
    return execFileSync(command, args, { ...options, encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return undefined
  }
}
