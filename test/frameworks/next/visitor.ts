import { type Answer, Browser } from '../../../src/testing/browser.ts'

/** What the store of the site was called for, since it was last asked. */
export interface Calls {
  read: number
  create: number
  update: number
  delete: number
  total: number
}

/** The Server Actions, and the pages with their forms. */
const ACTIONS = {
  visit: '/',
  signIn: '/sign-in',
  signOut: '/sign-in',
  add: '/shop',
  fail: '/shop',
  unwrapped: '/shop',
}

export type Action = keyof typeof ACTIONS

/** What is filled in, in whichever form. */
const FIELDS = { name: 'ann', book: 'Emma' }

/** A browser on the site, which submits forms as one without JavaScript does, or calls actions as Next's own client does. */
export class Visitor extends Browser {
  /** Submits the form of an action. */
  async submit(action: Action): Promise<Answer> {
    const body = new FormData()
    body.set(`$ACTION_ID_${await this.#idOf(action)}`, '')
    for (const [name, value] of Object.entries(FIELDS)) body.set(name, value)
    return this.request(ACTIONS[action], { method: 'POST', body })
  }

  /** Calls an action with what its form holds. */
  async call(action: Action): Promise<Answer> {
    const headers = { 'Next-Action': await this.#idOf(action), Accept: 'text/x-component' }
    const body = new FormData()
    // The fields of the first argument, which is a form, and the list of arguments.
    for (const [name, value] of Object.entries(FIELDS)) body.set(`_1_${name}`, value)
    body.set('0', '["$K1"]')
    return this.request(ACTIONS[action], { method: 'POST', headers, body })
  }

  /** Fetches a page ahead, as Next's router does, which follows where the server sends it. */
  async prefetch(path: string): Promise<Answer> {
    const headers = { RSC: '1', 'Next-Router-Prefetch': '1' }
    const answer = await this.get(path, { headers })
    const location = answer.headers.get('Location')
    return location ? this.get(location, { headers }) : answer
  }

  /** How often its button was pressed, as the home page says. */
  async visits(): Promise<number> {
    return visitsOf(await this.get('/'))
  }

  /** What the site's control says, and is told. */
  async control(settings: { ahead?: number; failing?: boolean } = {}): Promise<Calls> {
    const { body } = await this.request('/control', { method: 'POST', body: JSON.stringify(settings) })
    return JSON.parse(body)
  }

  /** What the session holds, as a page shows it that costs no extension. */
  async read(): Promise<unknown> {
    return JSON.parse((await this.get('/read', { headers: { Purpose: 'prefetch' } })).body)
  }

  async #idOf(action: Action): Promise<string> {
    // The page as somebody without cookies sees it: it costs no call of the store.
    const { body } = await this.get(ACTIONS[action], { headers: { Cookie: 'none=1' } })
    const form = action === 'visit' ? '<form' : `<form id="${action}"`
    const [, id] = new RegExp(`${form}[^>]*><input type="hidden" name="\\$ACTION_ID_(\\w+)"`).exec(body) ?? []
    if (id === undefined) throw new Error(`${ACTIONS[action]} has no form for "${action}"`)
    return id
  }
}

/** How often the button was pressed, by the home page, or by what Next's client gets of it. */
export function visitsOf({ body }: Answer): number {
  return Number(/pressed this button (?:<!-- -->|",)(\d+)/.exec(body)?.[1])
}

/** The text of an element of a page, by its id. */
export function textOf(id: string, { body }: Answer): string | undefined {
  return new RegExp(`id="${id}">([^<]*)<`).exec(body)?.[1]
}
