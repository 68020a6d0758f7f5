import { describeWith } from '../servers/program.ts'
import { REDIS_7, REDIS_SERVERS, standaloneRedis } from '../servers/redis.ts'
import { CLIENTS } from './redis-clients.ts'
import { describeRedis } from './redis-contract.ts'

for (const program of REDIS_SERVERS) {
  const name = program.newer?.folder ?? 'redis-7'
  describeWith([program], `the Redis store on ${name}`, () => {
    describeRedis(name, {
      clients: Object.keys(CLIENTS),
      start: () => standaloneRedis(program),
      processes: program === REDIS_7,
    })
  })
}
