import { describeAdapter } from './contract.ts'
import { serveHttp2 } from './sites.ts'

describeAdapter('http2', serveHttp2('write'))
