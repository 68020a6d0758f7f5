import { join } from 'node:path'
import { Eta } from 'eta'
import { formatAgo, formatDay, formatLife, formatYear } from './dates.ts'
import type { View } from './page.ts'
import { findReader } from './readers.ts'
import type { VisitorSession } from './sessions.ts'
import { plural } from './text.ts'

// Eta escapes whatever `<%= %>` prints; a template has to write `<%~ %>` to print markup.
const eta = new Eta({ views: join(import.meta.dirname, '../views'), cache: true, autoEscape: true })

const helpers = { formatAgo, formatDay, formatLife, formatYear, plural }

/** Fills the template of a view. Without a session, as on an error page, the visitor is shown as nobody. */
export function render(view: View, url: string, session: VisitorSession | undefined): string {
  return eta.render(view.view, {
    ...helpers,
    ...view.data,
    title: view.title,
    url,
    path: url.split('?', 1)[0],
    reader: findReader(session?.userId),
    basketSize: session?.get('basket')?.length ?? 0,
    flashes: session?.takeFlashes() ?? [],
  })
}
