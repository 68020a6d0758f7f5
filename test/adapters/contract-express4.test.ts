import express4 from 'express4'
import { describe, it } from 'vitest'
import { adapterContract } from '../../src/testing/adapter-contract.ts'
import { serveExpress } from './sites.ts'

describe('the adapter contract on Express 4', () => {
  for (const { name, run } of adapterContract(serveExpress(express4, 'write'))) it(name, run)
})
