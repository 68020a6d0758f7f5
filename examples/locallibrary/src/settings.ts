import { join, resolve } from 'node:path'

// Everything is set by environment variables, so that nothing needs to be edited to try the site.
const { HOST, PORT, DATA_DIR, SESSION_STORE, FRAMEWORK } = process.env

/** Where the site answers. Loopback by default: the passwords of the demo readers are printed on the sign-in page. */
export const host = HOST || '127.0.0.1'

/** 0 lets the system choose a free port. */
export const port = readPort(PORT || '3000')

/** The folder of the catalogue, and of the sessions unless `SESSION_STORE` says otherwise. */
export const dataDir = DATA_DIR ? resolve(DATA_DIR) : join(import.meta.dirname, '../data')

/**
 * Where the sessions are kept: `memory`, `sqlite:<file>`, `file:<folder>`, or a server: `postgres://...`, `redis://...`; or
 * `cookie:`, in the browsers themselves, sealed with the keys of `SESSION_KEYS`.
 */
export const sessionStore = SESSION_STORE || `sqlite:${join(dataDir, 'sessions.db')}`

const FRAMEWORKS = ['express', 'fastify', 'koa', 'hono', 'fetch'] as const

/** What serves the site: `express`, `fastify`, `koa`, `hono`, or `fetch` for no framework at all. */
export const framework = readFramework(FRAMEWORK || 'express')

function readFramework(name: string): (typeof FRAMEWORKS)[number] {
  const found = FRAMEWORKS.find((one) => one === name)
  return found ?? refuse(`FRAMEWORK must be one of ${FRAMEWORKS.join(', ')}, not "${name}".`)
}

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port < 65_536) return port
  return refuse(`PORT must be a number from 0 to 65535, not "${text}".`)
}

/** Opens what the settings name, or says why not. */
export async function openOrRefuse<Opened>(
  what: string,
  open: () => Opened | Promise<Opened>,
): Promise<Opened> {
  try {
    return await open()
  } catch (error) {
    return refuse(`${what} cannot be opened. ${error instanceof Error ? error.message : error}`)
  }
}

/** What is wrong with a setting is told to the person who starts the site in one line, without a stack trace. */
function refuse(message: string): never {
  console.error(message)
  process.exit(1)
}
