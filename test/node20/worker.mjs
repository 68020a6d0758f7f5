// Opens the store that the arguments name, for what the store contract does from another process.
import { fileStore } from 'sojourn/file'
import { memoryStore } from 'sojourn/memory'
import { sqliteStore } from 'sojourn/sqlite'
import { storeContractWorker } from 'sojourn/testing'

const OPEN = { memory: () => memoryStore(), file: fileStore, sqlite: sqliteStore }

const [, , kind, path] = process.argv
await storeContractWorker(OPEN[kind](path))
