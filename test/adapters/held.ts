import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { nodeSession } from '../../src/adapters/node.ts'
import { createSessions, type Session, type Sessions, type Store } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { aroundStore } from '../../src/testing/around-store.ts'
import { type FailingStore, failingStore } from '../../src/testing/failing-store.ts'
import { listen } from './serve.ts'

export interface Data {
  n: number
  late: boolean
}

export type Handler = (session: Session<Data>, res: ServerResponse, req: IncomingMessage) => unknown

/** How long a save takes, in milliseconds. */
export const SAVE = 30

/** Sessions that are saved slowly and read at once, so that whoever reads too early sees it. */
export function slowSessions(store: Store = memoryStore()): Sessions<Data> {
  const slow = aroundStore(store, async (verb, call) => {
    if (verb !== 'read') await pause(SAVE)
    return call()
  })
  return createSessions<Data>({ store: slow })
}

/** A moment that somebody waits for, and what says that it has come. */
export function signal(): [moment: Promise<void>, hasCome: () => void] {
  let hasCome = (): void => undefined
  const moment = new Promise<void>((resolve) => {
    hasCome = resolve
  })
  return [moment, () => hasCome()]
}

/** Sessions whose saves wait until they are let go, so that what happens meanwhile does not depend on the machine. */
export function gatedSessions(): { sessions: Sessions<Data>; open: () => void } {
  const [opened, open] = signal()
  const gated = aroundStore(memoryStore(), async (verb, call) => {
    if (verb !== 'read') await opened
    return call()
  })
  return { sessions: createSessions<Data>({ store: gated, storeTimeout: '5m' }), open }
}

/** Sessions whose store can be told to fail, after the time that a save takes. */
export function failingSessions(): { store: FailingStore; sessions: Sessions<Data> } {
  const store = failingStore(memoryStore())
  return { store, sessions: slowSessions(store) }
}

/** Serves for this test, and answers the origin. */
export async function serve(handler: RequestListener): Promise<string> {
  const { origin, close } = await listen(handler)
  onTestFinished(close)
  return origin
}

/** A server whose every request changes its session, so that every answer is held. */
export async function holding(handler: Handler): Promise<string> {
  const sessions = slowSessions()
  return serve(
    nodeSession(sessions, async (req, res) => {
      const session = await sessions.of(req)
      session.update('n', (n = 0) => n + 1)
      await handler(session, res, req)
    }),
  )
}

/** What comes over the wire for a request, until the server closes the connection. */
export async function raw(origin: string, request: string): Promise<string> {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  socket.write(request.replaceAll('\n', '\r\n'))
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}

export function rawGet(origin: string): Promise<string> {
  return raw(origin, 'GET / HTTP/1.1\nHost: x\nConnection: close\n\n')
}
