import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The files and folders that take longest, so that none of them is left when all others are done. */
const LONGEST = [
  'test/faults/nats',
  'test/faults/mysql.test',
  'examples/locallibrary/test/site',
  'test/faults/etcd',
  'test/cli/servers',
  'test/frameworks/',
  'test/runtimes/',
  'test/recipes/',
  'test/package/',
  'test/stores/processes',
  'test/promises/kill',
  'test/faults/',
  'examples/locallibrary/test/',
  'test/stores/mysql',
  'test/stores/nats',
  'test/stores/postgres',
  'test/stores/redis-cluster',
  'test/cli/',
  'test/stores/',
  'test/node20/',
]

/** The longest first, then the rest in the order of vitest. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex((start) => relative(root, moduleId).startsWith(start))
      return place === -1 ? LONGEST.length : place
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}
