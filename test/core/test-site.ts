import type { Sessions } from '../../src/index.ts'
import { Browser } from './browser.ts'
import { Site } from './site.ts'

/** What these tests keep in sessions: anything, under any key. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at values of all kinds
export type Anything = Record<string, any>

/** A site of one process, with its visitors. */
export class TestSite extends Site {
  readonly sessions = this.process() as Sessions<Anything>

  /** A visitor who is new, or who sends that `Cookie` header. */
  browser(request: { cookie?: string; secure?: boolean } = {}): Browser<Anything> {
    return new Browser(this.sessions, request)
  }

  /** A visitor whose session holds `{ mine: true }`. */
  async visitor(request: { secure?: boolean } = {}): Promise<Browser<Anything>> {
    const browser = this.browser(request)
    await browser.visit((session) => session.set('mine', true))
    return browser
  }
}
