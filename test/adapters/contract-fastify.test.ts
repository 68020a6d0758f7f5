import { describeAdapter } from './contract.ts'
import { serveFastify } from './web-sites.ts'

describeAdapter('Fastify', serveFastify)
