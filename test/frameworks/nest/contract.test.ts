import { describeAdapter } from '../../adapters/contract.ts'
import { serveNest } from './sites.ts'

describeAdapter('Nest on Express', serveNest('express'))
describeAdapter('Nest on Fastify', serveNest('fastify'))
