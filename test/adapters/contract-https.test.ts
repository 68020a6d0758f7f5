import { describeAdapter } from './contract.ts'
import { listenHttps } from './https.ts'
import { serveNode } from './sites.ts'

describeAdapter('https', serveNode('pipe', listenHttps))
