import { afterAll, beforeAll } from 'vitest'
import { RunningSite, tempFolder } from './running-site.ts'
import { Visitor } from './visitor.ts'

type Settings = Record<string, string>

/** A site that runs while the tests of a block do, with its data in a folder of its own. */
export interface SiteOfTests {
  readonly folder: string
  readonly settings: Settings
  readonly url: string
  readonly port: string
  newVisitor(): Visitor
  /** Ends the site, and starts it again at the same address. Answers with which code it ended. */
  restart(signal?: Parameters<RunningSite['stop']>[0], changes?: Settings): Promise<number | null>
}

/** @param settingsIn - the site's settings, given the folder of its data */
export function siteOfTests(settingsIn: (folder: string) => Settings): SiteOfTests {
  const { path: folder, remove } = tempFolder()
  let settings: Settings = {}
  let running: RunningSite
  beforeAll(async () => {
    settings = { DATA_DIR: folder, ...settingsIn(folder) }
    running = await RunningSite.start(settings)
  })
  afterAll(async () => {
    await running?.stop()
    remove()
  })
  return {
    folder,
    get settings() {
      return settings
    },
    get url() {
      return running.url
    },
    get port() {
      return running.port
    },
    newVisitor: () => new Visitor(running.url),
    async restart(signal, changes) {
      const { port } = running
      const code = await running.stop(signal)
      running = await RunningSite.start({ ...settings, PORT: port, ...changes })
      return code
    },
  }
}
