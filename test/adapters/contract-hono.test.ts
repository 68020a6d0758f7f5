import { describeAdapter } from './contract.ts'
import { serveHono } from './web-sites.ts'

describeAdapter('Hono', serveHono)
