import { describeAdapter } from './contract.ts'
import { serveFetch } from './web-sites.ts'

describeAdapter('fetch', serveFetch)
