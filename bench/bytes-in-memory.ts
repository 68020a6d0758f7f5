/*
 * Tells its parent what a session takes in the memory of a process, in bytes of the heap and of buffers outside it:
 * node --expose-gc bytes-in-memory.ts <by> <count>. Ends with its parent.
 */
import { makerOf } from './bytes-maker.ts'
import type { By } from './copies.ts'

const [by, count] = process.argv.slice(2)
const { make } = await makerOf('memory', 'memory:', by as By)

function used(): number {
  for (let i = 0; i < 3; i++) gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

// What is compiled and pooled meanwhile is no part of a session.
await make(2000)
const before = used()
await make(Number(count))
process.send?.((used() - before) / Number(count))
process.on('disconnect', () => {
  process.exit()
})
