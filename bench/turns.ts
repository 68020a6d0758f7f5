import { openSync, readSync } from 'node:fs'

/** How long the turns of the event loop took, in microseconds each. */
export interface Turns {
  /** By the clock: what others waited. */
  wall: number[]
  /** The same without the time in which other programs had the processor: what the work itself took, and the disk. */
  own: number[]
}

/** Takes the time of every turn of the event loop while some work is done. */
export async function turnsOf(work: () => Promise<unknown>): Promise<Turns> {
  const turns: Turns = { wall: [], own: [] }
  let isDone = false
  const watching = new Promise<void>((resolve) => {
    let [at, waited] = clocks()
    const turn = () => {
      const [now, waitedNow] = clocks()
      turns.wall.push((now - at) * 1000)
      turns.own.push((now - at) * 1000 - (waitedNow - waited))
      at = now
      waited = waitedNow
      if (isDone) resolve()
      else setImmediate(turn)
    }
    setImmediate(turn)
  })
  await work()
  isDone = true
  await watching
  return turns
}

/** Both clocks at one moment: between two reads of the second that agree nobody else had the processor. */
function clocks(): [now: number, waited: number] {
  for (;;) {
    const waited = waitedForProcessor()
    const now = performance.now()
    if (waitedForProcessor() === waited) return [now, waited]
  }
}

let statistics: number | undefined
const buffer = Buffer.alloc(100)

/** For how many microseconds this thread could have run and was not let, as Linux counts it; 0 elsewhere. */
function waitedForProcessor(): number {
  if (process.platform !== 'linux') return 0
  statistics ??= openSync('/proc/thread-self/schedstat', 'r')
  const length = readSync(statistics, buffer, 0, buffer.length, 0)
  return Number(buffer.toString('latin1', 0, length).split(' ')[1]) / 1000
}
