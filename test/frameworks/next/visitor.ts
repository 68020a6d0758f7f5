import { type Answer, Browser } from '../../../src/testing/browser.ts'

/** What the store of the site was called for, since it was last asked. */
export interface Calls {
  read: number
  create: number
  update: number
  delete: number
  total: number
  /** How many copies of the module with the sessions there are. */
  instances: number
}

/** A browser on the site, which submits forms as one without JavaScript does, or calls actions as Next's own client does. */
export class Visitor extends Browser {
  /** Submits the form of an action on the home page. */
  async submit(action: string): Promise<Answer> {
    const form = new FormData()
    form.set(`$ACTION_ID_${await this.#idOf(action)}`, '')
    form.set('book', 'Emma')
    return this.request('/', { method: 'POST', body: form })
  }

  /** Calls an action without arguments. */
  async call(action: string): Promise<Answer> {
    const headers = { 'Next-Action': await this.#idOf(action), Accept: 'text/x-component' }
    return this.request('/', { method: 'POST', headers, body: '[]' })
  }

  /** Fetches a page ahead, as Next's router does, which follows where the server sends it. */
  async prefetch(path: string): Promise<Answer> {
    const headers = { RSC: '1', 'Next-Router-Prefetch': '1' }
    const answer = await this.get(path, { headers })
    const location = answer.headers.get('Location')
    return location ? this.get(location, { headers }) : answer
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

  async #idOf(action: string): Promise<string> {
    // The page as somebody without cookies sees it: it costs no call of the store.
    const { body } = await this.get('/', { headers: { Cookie: 'none=1' } })
    const [, id] =
      new RegExp(`<form id="${action}"[^>]*><input type="hidden" name="\\$ACTION_ID_(\\w+)"`).exec(body) ?? []
    if (id === undefined) throw new Error(`The home page has no form for "${action}"`)
    return id
  }
}

/** The text of an element of a page, by its id. */
export function textOf(id: string, { body }: Answer): string | undefined {
  return new RegExp(`id="${id}">([^<]*)<`).exec(body)?.[1]
}
