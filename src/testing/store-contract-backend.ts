import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { PurgeableStore, UserIndexedStore } from '../store.ts'
import {
  type Case,
  create,
  DAY,
  keeps,
  keepsNothing,
  type Scene,
  unlessShared,
} from './store-contract-case.ts'
import { DONE, JOB, type Job } from './store-contract-worker.ts'
import type { StoreHarness, WorkerProgram } from './store-harness.ts'

/** What may befall a backend. */
export const backendCases: readonly Case[] = [
  {
    name: 'makes no entry of what is damaged, and goes on with the others',
    unless: ({ breakEntry }) => unlessHook('breakEntry', breakEntry),
    async run(scene) {
      const store = await scene.open()
      const [broken, sound] = [scene.key(), scene.key()]
      const userId = 'alice'
      await create(store, broken, scene.entry({ userId }))
      const entry = await create(store, sound, scene.entry({ userId }))
      await scene.harness.breakEntry?.(scene.backend, broken)
      // To say so by an error is as good.
      assert.equal(await store.read(broken).catch(() => undefined), undefined, 'read() made something up')
      await keeps(store, sound, entry)
      const { ofUser, purge } = scene.harness.abilities
      if (ofUser) {
        const keys = (await (store as UserIndexedStore).ofUser(userId)).map(({ key }) => key)
        assert.deepEqual(keys, [sound], 'ofUser() is not what can be read')
      }
      if (purge) await (store as PurgeableStore).purge(10)
      await store.delete(broken)
      await keeps(store, broken, await create(store, broken, scene.entry({ value: 'new' })))
    },
  },
  {
    name: 'makes its table, or what it has instead, when that is missing at the first query',
    unless: ({ removeSchema }) => unlessHook('removeSchema', removeSchema),
    async run(scene) {
      for (const query of firstQueries(scene)) {
        const store = await scene.open()
        await scene.harness.removeSchema?.(scene.backend)
        await query(store as PurgeableStore & UserIndexedStore, scene.key())
        const next = scene.key()
        await keeps(store, next, await create(store, next, scene.entry()))
      }
    },
  },
  {
    name: 'makes its table anew when that vanishes while it is in use',
    unless: ({ removeSchema }) => unlessHook('removeSchema', removeSchema),
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      const entry = await create(store, key, scene.entry())
      await keeps(store, key, entry)
      await scene.harness.removeSchema?.(scene.backend)
      await keepsNothing(store, key)
      assert.equal(await store.update(key, scene.entry(), entry.version), undefined)
      await keeps(store, key, await create(store, key, scene.entry()))
    },
  },
  {
    name: 'counts exactly when two processes count at once',
    unless: (harness) => {
      if (harness.atomic === 'process')
        return 'the backend knows no condition, so that this holds within one process only'
      return unlessHook('worker', harness.worker) ?? unlessShared(harness)
    },
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      await create(store, key, scene.entry({ value: '0', expiresAt: scene.now() + DAY }))
      const job: Job = { kind: 'increment', key, times: 100 }
      await Promise.all([runWorker(scene.program, job), runWorker(scene.program, job)])
      assert.equal((await store.read(key))?.value, '200')
    },
  },
  {
    name: 'lets a process end that has nothing left to do, without being closed',
    unless: ({ worker }) => unlessHook('worker', worker),
    async run(scene) {
      await runWorker(scene.program, { kind: 'idle', key: scene.key(), times: 1 })
    },
  },
]

type Query = (store: PurgeableStore & UserIndexedStore, key: string) => Promise<unknown>

function firstQueries(scene: Scene): Query[] {
  const { purge, ofUser } = scene.harness.abilities
  return [
    (store, key) => keepsNothing(store, key),
    (store, key) => create(store, key, scene.entry()),
    async (store, key) => assert.equal(await store.update(key, scene.entry(), 1), undefined),
    async (store, key) => assert.equal(await store.delete(key), undefined),
    async (store) => purge && assert.equal(await store.purge(10), 0),
    async (store) => ofUser && assert.deepEqual(await store.ofUser('alice'), []),
  ]
}

const WITHOUT = {
  breakEntry: 'there is no way to damage an entry (`breakEntry`)',
  removeSchema: 'there is no table or the like to remove (`removeSchema`)',
  worker: 'there is no other process that opens the store (`worker`)',
} satisfies Partial<Record<keyof StoreHarness, string>>

function unlessHook(name: keyof typeof WITHOUT, hook: unknown): string | undefined {
  return hook ? undefined : WITHOUT[name]
}

/** So long may a worker take on a busy machine, and so long to end when it has nothing left to do. */
const PATIENCE = { work: 120_000, end: 30_000 }

function runWorker({ file, args = [], execArgv = [] }: WorkerProgram, job: Job): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, [JOB]: JSON.stringify(job) }
    const child = spawn(process.execPath, [...execArgv, file, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const fail = (how: string) => {
      reject(new assert.AssertionError({ message: `The worker (${job.kind}) ${how}\n${output}` }))
    }
    const giveUp = () => {
      child.kill('SIGKILL')
      fail('did not end by itself')
    }
    let timer = setTimeout(giveUp, PATIENCE.work)
    const collect = (chunk: Buffer) => {
      output += chunk
      if (!output.includes(DONE)) return
      clearTimeout(timer)
      timer = setTimeout(giveUp, PATIENCE.end)
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0 && output.includes(DONE)) resolve()
      else fail(`ended with ${code ?? signal}`)
    })
  })
}
