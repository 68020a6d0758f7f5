import { describeWith } from '../servers/program.ts'
import { clusterRedis, REDIS_7, sentinelRedis } from '../servers/redis.ts'
import { CLIENTS } from './redis-clients.ts'
import { describeRedis } from './redis-contract.ts'

describeWith([REDIS_7], 'the Redis store with Sentinel', () => {
  describeRedis('a master with replicas and Sentinels', {
    clients: ['redis', 'ioredis'],
    start: () => sentinelRedis(),
    processes: false,
  })
})

describeWith([REDIS_7], 'the Redis store on a cluster', () => {
  describeRedis('a cluster', {
    clients: Object.keys(CLIENTS),
    start: () => clusterRedis(),
    processes: true,
  })
})
