import { describeAdapter } from './contract.ts'
import { serveNode } from './sites.ts'

describeAdapter('http', serveNode('pipe'))
