import { redisStore } from '../../../src/stores/redis.ts'
import { CLIENTS } from '../../stores/redis-clients.ts'
import type { OpenedStore } from '../source.ts'

/** A store on what a test has started, by one of the clients. */
export async function openStore(client: string, target: string, options = '{}'): Promise<OpenedStore> {
  const opened = await CLIENTS[client]?.(JSON.parse(target))
  if (!opened) throw new Error(`No client is named ${client}`)
  return {
    store: redisStore(opened.client, JSON.parse(options)),
    close: async () => {
      await opened.close()
    },
  }
}
