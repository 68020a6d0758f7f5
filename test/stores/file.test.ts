import { createHash } from 'node:crypto'
import { readdirSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { fileStore } from '../../src/stores/file.ts'
import { describeStore } from './contract.ts'
import { temporaryFolder } from './temporary.ts'

export function folderOf(root: string, key: string): string {
  const hash = createHash('sha256').update(key).digest('hex')
  return join(root, hash.slice(0, 2), hash)
}

for (const synchronous of ['normal', 'full'] as const) {
  describeStore(`file, synchronous ${synchronous}`, {
    prepare: temporaryFolder,
    open: (folder, clock) => fileStore(folder, { clock, synchronous }),
    dispose: (folder) => rmSync(folder, { recursive: true }),
    expiry: 'given',
    shared: true,
    abilities: { purge: true, ofUser: true, close: false },
    breakEntry(root, key) {
      const folder = folderOf(root, key)
      const [data = ''] = readdirSync(folder).filter((name) => name.startsWith('data'))
      truncateSync(join(folder, data), 60)
    },
    removeSchema: (folder) => rmSync(folder, { recursive: true }),
    worker: (folder) => ({
      file: new URL('./workers/contract.ts', import.meta.url).pathname,
      args: ['file', folder],
    }),
  })
}
