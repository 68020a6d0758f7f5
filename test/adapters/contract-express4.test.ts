import express4 from 'express4'
import { describeAdapter } from './contract.ts'
import { serveExpress } from './sites.ts'

describeAdapter('Express 4', serveExpress(express4, 'write'))
