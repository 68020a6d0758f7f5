import express from 'express'
import { describe, expect, it } from 'vitest'
import { adapterContract } from '../../src/testing/adapter-contract.ts'
import type { Serve } from '../../src/testing/adapter-site.ts'
import { type COOKIE_SERVERS, KINDS } from '../tested/cookie.ts'
import { registerCases } from './contract.ts'
import { serveExpress, serveNode } from './sites.ts'
import { serveFastify, serveFetch } from './web-sites.ts'

const SERVERS = {
  'Express 5': serveExpress(express, 'write'),
  'node:http': serveNode('pipe'),
  Fastify: serveFastify,
  fetch: serveFetch,
} satisfies Record<(typeof COOKIE_SERVERS)[number], Serve>

describe.each(Object.entries(KINDS))(
  'the adapter contract, with sessions %s',
  (column, { carriedBy, exceptions }) => {
    describe.each(Object.entries(SERVERS))('on %s', (way, serve) => {
      registerCases({ table: 'cookie', column, way }, serve, { carriedBy, exceptions })
    })

    describe('cannot hold, as it is said', () => {
      const cases = adapterContract(SERVERS['node:http'], { carriedBy })
      it.each(Object.entries(exceptions))('%s: %s', async (exception) => {
        const found = cases.find(({ name }) => name === exception)
        await expect(found?.run()).rejects.toThrow()
      })
    })
  },
)

describe('exceptions of the contract', () => {
  it('must name a case', () => {
    expect(() => adapterContract(SERVERS['node:http'], { exceptions: { nothing: 'x' } })).toThrow('"nothing"')
  })
})
