import { describe, it } from 'vitest'
import { adapterContract } from '../../src/testing/adapter-contract.ts'
import { serveHttp2 } from './sites.ts'

describe('the adapter contract on node:http2', () => {
  for (const { name, run } of adapterContract(serveHttp2('write'))) it(name, run)
})
