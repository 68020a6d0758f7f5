import { Kvm } from '@nats-io/kv'
import { natsStore } from '../../../src/stores/nats.ts'
import { storeContractWorker } from '../../../src/testing/store-contract-worker.ts'
import { connectNats } from '../../servers/nats.ts'

const connection = await connectNats(process.argv.slice(2).map(Number))
await storeContractWorker(natsStore(await new Kvm(connection).open('sessions', { allow_direct: false })))
// A connection keeps a process alive until who opened it closes it.
await connection.close()
