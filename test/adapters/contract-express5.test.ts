import express from 'express'
import { describe, it } from 'vitest'
import { adapterContract } from '../../src/testing/adapter-contract.ts'
import { serveExpress } from './sites.ts'

describe('the adapter contract on Express 5', () => {
  for (const { name, run } of adapterContract(serveExpress(express, 'pipe'))) it(name, run)
})
