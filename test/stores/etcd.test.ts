import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll } from 'vitest'
import { etcdStore } from '../../src/stores/etcd.ts'
import { askEtcd, base64, ETCD, type EtcdNodes, startEtcd, urlOf } from '../servers/etcd.ts'
import { describeWith } from '../servers/program.ts'
import { describeStore } from './contract.ts'
import { describeLostUpdates } from './lost-updates.ts'
import { tested } from './tested.ts'

const file = new URL('./workers/etcd.ts', import.meta.url).pathname

for (const count of [1, 3]) {
  describeWith([ETCD], `etcd, ${count} node(s)`, () => {
    let etcd: EtcdNodes

    beforeAll(async () => {
      etcd = await startEtcd(count)
      tested('etcd', 'fetch of Node.js, with the JSON gateway of etcd', etcd.version)
    })

    afterAll(() => etcd?.stop())

    describeStore(`etcd, ${count} node(s)`, {
      expiry: 'given',
      shared: true,
      abilities: { purge: false, ofUser: true, close: false },
      prepare: () => `${randomUUID()}'"*?[/`,
      open: (prefix, clock) => etcdStore(etcd.endpoints, { prefix, clock }),
      breakEntry: (prefix, key) =>
        askEtcd(etcd.endpoints[0] ?? '', '/v3/kv/put', {
          key: base64(`${prefix}s/${key}`),
          value: Buffer.of(0x5b, 0xff, 0).toString('base64'),
        }),
      worker: (prefix) => ({ file, args: [prefix, ...etcd.endpoints] }),
    })

    if (count === 1) return
    describeLostUpdates(`etcd, ${count} nodes`, () => ({ url: urlOf(etcd) }))
  })
}
