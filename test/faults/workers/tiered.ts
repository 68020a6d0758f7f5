import type { Duration } from '../../../src/index.ts'
import { openTiered } from '../../stores/tiered-clients.ts'
import type { OpenedStore } from '../source.ts'

export function openStore(
  kind: string,
  port: string,
  folder: string,
  cacheTimeout: string,
): Promise<OpenedStore> {
  return openTiered(kind, Number(port), folder, { cacheTimeout: cacheTimeout as Duration })
}
