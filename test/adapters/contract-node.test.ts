import { describe, it } from 'vitest'
import { adapterContract } from '../../src/testing/adapter-contract.ts'
import { serveNode } from './sites.ts'

describe('the adapter contract on node:http', () => {
  for (const { name, run } of adapterContract(serveNode('pipe'))) it(name, run)
})
