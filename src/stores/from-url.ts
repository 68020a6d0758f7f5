import type { Store } from '../store.ts'

/** What the URL of a store says. */
export interface StoreUrl {
  readonly scheme: 'memory' | 'sqlite' | 'file'
  /** The path of the database or folder; empty for memory. */
  readonly path: string
  /** The table, when another one than the store's default. */
  readonly table: string | undefined
}

const FORMS = '"sqlite:<path>", "sqlite:<path>?table=<name>", "file:<folder>" or "memory:"'

/**
 * Opens the store that a URL names, for configuration by an environment variable: `sqlite:<path>`, optionally with
 * `?table=<name>`, `file:<folder>` or `memory:`. Paths are taken as they are, relative ones from the working directory.
 * @throws TypeError when the URL names no store.
 */
export async function storeFromUrl(url: string): Promise<Store> {
  const { scheme, path, table } = parseStoreUrl(url)
  // Loaded on demand: nobody needs the drivers of the stores he does not use.
  if (scheme === 'memory') return (await import('./memory.ts')).memoryStore()
  if (scheme === 'file') return (await import('./file.ts')).fileStore(path)
  return (await import('./sqlite.ts')).sqliteStore(path, table === undefined ? {} : { table })
}

/** @throws TypeError when the URL names no store; the message holds no more of it than its scheme. */
export function parseStoreUrl(url: string): StoreUrl {
  const [, scheme, rest = ''] = /^([a-z][a-z\d+.-]*)(?::(.*))?$/is.exec(url) ?? []
  if (scheme === 'memory' && rest === '') return { scheme, path: '', table: undefined }
  if (scheme !== 'sqlite' && scheme !== 'file') {
    const what = scheme === undefined ? 'The store URL has no scheme' : `No store is named "${scheme}:"`
    throw new TypeError(`${what}; there are: ${FORMS}`)
  }
  const [, path = '', table] = (scheme === 'sqlite' && /^(.*)\?table=([^?&]+)$/s.exec(rest)) || ['', rest]
  if (path === '' || path.includes('\0')) throw new TypeError(`"${scheme}:" must be followed by a path`)
  // In other programs the slashes mean a host, a relative or an absolute path.
  if (/^\/\/(?!\/)/.test(path)) {
    throw new TypeError(`Write "${scheme}:" and the path without "//", such as "${scheme}:data/sessions"`)
  }
  return { scheme, path, table }
}
