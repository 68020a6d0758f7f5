import { describeAdapter } from './contract.ts'
import { serveKoa } from './web-sites.ts'

describeAdapter('Koa', serveKoa)
