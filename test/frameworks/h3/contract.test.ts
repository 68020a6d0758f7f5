import { describeAdapter } from '../../adapters/contract.ts'
import { serveH3, serveH3v1 } from './sites.ts'

describeAdapter('h3 2', serveH3('value'), 'answering with a value')
describeAdapter('h3 2', serveH3('response'), 'answering with a response')
describeAdapter('h3 1', serveH3v1('value'), 'answering with a value')
describeAdapter('h3 1', serveH3v1('sent'), 'answering by its response')
