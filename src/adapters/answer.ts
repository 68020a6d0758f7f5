import type { ServerResponse } from 'node:http'
import { ignore } from '../ignore.ts'
import { Disguise, refuseHeaders } from './disguise.ts'
import { abandon, type Held, type Source } from './held.ts'
import { type Arguments, HeldCalls, refuseCall } from './held-calls.ts'
import { type HeldVisit, together } from './held-visit.ts'
import { clearAnswer, parseHead, sendHead, setGivenHeaders, statusOf } from './response-head.ts'

// What a handler changes while its changes are being saved is saved before the head leaves, too; but not for ever.
const MAX_COMMITS = 3

/** One answer on a response: the handler's, or the error page when that one's session could not be saved. */
export class Answer {
  readonly #held: Held
  readonly #isErrorPage: boolean
  /** How it looks while it is held. */
  #disguise: Disguise | undefined
  /** What waits until the session is saved; `undefined` when nothing has to. */
  #calls: HeldCalls | undefined
  /** The commit that it waits for first. */
  #saving: Promise<void> | undefined
  #headSent: boolean
  #ended = false
  /** Whether an error page has taken its place. */
  #replaced = false
  /** Whether an inner method is running. It relies on the head being sent when it asks for that. */
  #inside = false

  constructor(held: Held, isErrorPage = false) {
    this.#held = held
    this.#isErrorPage = isErrorPage
    this.#headSent = held.res.headersSent
    if (this.#headSent) held.visit.headersSent()
  }

  /**
   * The page that takes the place of an answer that cannot be given. Its methods are its own: those that all responses
   * share lead to the answer that it replaces, whose handler may still be writing.
   */
  static errorPage(held: Held): void {
    const page = new Answer(held, true)
    const writeHead = (...args: Arguments): ServerResponse => page.writeHead(args)
    Object.assign(held.res, {
      writeHead,
      writeHeader: writeHead,
      write: (...args: Arguments) => page.write(args),
      end: (...args: Arguments) => page.end(args),
      flushHeaders: () => page.flushHeaders(),
    })
  }

  /** Another visit of the same request. */
  join(visit: HeldVisit): void {
    if (this.#headSent) visit.headersSent()
    this.#held.visit = together(this.#held.visit, visit)
  }

  piped(source: Source): void {
    this.#held.sources ??= []
    this.#held.sources.push(source)
  }

  /** A client that leaves ends many a stream before the handler does; what the handler has changed is kept. */
  closed(): void {
    if (this.#ended) return
    const { visit } = this.#held
    if (visit.dirty) visit.commit()?.catch(ignore)
  }

  writeHead(args: Arguments): ServerResponse {
    const { res } = this.#held
    if (this.#replaced) return res
    const { status, reason, headers } = parseHead(args)
    if (this.#calls) {
      // Middleware that writes an implicit head may do so with each chunk. A head with headers is a second answer.
      return headers ? refuseHeaders() : res
    }
    if (!this.#mustHold()) return this.#sendHead(args)
    // Put on the response at once, so that a header that is wrong is thrown at who gave it.
    if (headers) setGivenHeaders(res, headers)
    res.statusCode = status
    if (reason !== undefined) res.statusMessage = reason
    this.#hold().givesHead = true
    return res
  }

  write(args: Arguments): boolean {
    if (this.#replaced || this.#isStray()) {
      refuseCall(args)
      return false
    }
    if (this.#mustHold()) this.#hold()
    return this.#calls ? this.#calls.write(args) : this.#pass('write', args)
  }

  end(args: Arguments): ServerResponse {
    const { res, visit } = this.#held
    if (this.#replaced || (this.#isErrorPage && this.#ended)) {
      refuseCall(args)
      return res
    }
    if (this.#mustHold()) this.#hold()
    else if (this.#headSent && !this.#calls && !this.#isErrorPage && visit.dirty) this.#holdEnd()
    this.#ended = true
    if (!this.#calls) return this.#pass('end', args)
    this.#calls.end(args)
    this.#disguise?.ended()
    return res
  }

  flushHeaders(): void {
    if (this.#replaced) return
    if (this.#mustHold()) this.#hold()
    if (this.#calls) this.#calls.flushesHead = true
    else this.#pass('flushHeaders', [])
  }

  /** Whether the head has to wait: something is to be saved, and that is not done at once. */
  #mustHold(): boolean {
    if (this.#headSent || this.#calls || this.#inside || this.#isErrorPage) return false
    const { visit } = this.#held
    for (let i = 0; i < MAX_COMMITS && visit.dirty; i++) {
      this.#saving = visit.commit()
      if (this.#saving !== undefined) return true
    }
    return false
  }

  #hold(): HeldCalls {
    const { res } = this.#held
    const { statusCode } = res
    this.#calls = new HeldCalls()
    this.#disguise = new Disguise(res)
    void this.#saveThenRelease(statusCode)
    return this.#calls
  }

  /** @param statusCode - What is set after the head was given is too late, here as in Node. */
  async #saveThenRelease(statusCode: number): Promise<void> {
    const { visit, res } = this.#held
    try {
      await this.#saving
      for (let i = 1; i < MAX_COMMITS && visit.dirty; i++) await visit.commit()
      res.statusCode = statusCode
      this.#release()
    } catch (error) {
      this.#giveUp(error)
    }
  }

  /** The head has left, the end waits: whoever sees the end sees the session saved. */
  #holdEnd(): void {
    const saving = this.#held.visit.commit()
    if (saving === undefined) return
    this.#calls = new HeldCalls()
    saving
      // Too late for an error page; observers hear of the failure from the core.
      .catch(ignore)
      .then(() => this.#release())
      .catch((error: unknown) => this.#giveUp(error))
  }

  #release(): void {
    const { res } = this.#held
    const calls = this.#calls
    this.#calls = undefined
    this.#disguise?.drop()
    if (!calls) return
    if (calls.givesHead) this.#sendHead([res.statusCode])
    if (calls.flushesHead) this.#pass('flushHeaders', [])
    const waits = calls.replay({
      write: (args) => this.#pass('write', args),
      end: (args) => this.#pass('end', args),
    })
    if (this.#ended) return
    // What was flushed while it was held would stay in the buffers of `compression`.
    if ('flush' in res && typeof res.flush === 'function') res.flush()
    if (waits) res.emit('drain')
  }

  #sendHead(args: Arguments): ServerResponse {
    const { res, visit, inner } = this.#held
    if (this.#headSent) return Reflect.apply(inner.writeHead, res, args)
    sendHead(res, inner.writeHead, args, visit.outcome)
    this.#headSent = true
    visit.headersSent()
    return res
  }

  #pass(method: 'write', args: Arguments): boolean
  #pass(method: 'end', args: Arguments): ServerResponse
  #pass(method: 'flushHeaders', args: Arguments): void
  #pass(method: 'write' | 'end' | 'flushHeaders', args: Arguments): unknown {
    const { res, inner } = this.#held
    const before = this.#inside
    this.#inside = true
    try {
      return Reflect.apply(inner[method], res, args)
    } finally {
      this.#inside = before
    }
  }

  #giveUp(error: unknown): void {
    const { res, sources, inner, fail } = this.#held
    const calls = this.#calls
    this.#calls = undefined
    this.#disguise?.drop()
    this.#replaced = true
    for (const source of sources ?? []) abandon(source, res)
    if (!res.headersSent) {
      clearAnswer(res, statusOf(error))
      // Middleware that came later and changes bodies has begun with the dropped one: the error page goes past it.
      res.on = inner.on
      Answer.errorPage(this.#held)
    }
    calls?.refuse()
    fail(error)
  }

  /**
   * Whether a chunk belongs to the answer that the error page has replaced: its handler may still be writing. An error
   * page says what it is before it begins.
   */
  #isStray(): boolean {
    if (!this.#isErrorPage || this.#inside) return false
    return this.#ended || !(this.#headSent || this.#held.res.hasHeader('Content-Type'))
  }
}
