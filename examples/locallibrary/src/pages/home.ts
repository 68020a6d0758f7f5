import { today } from '../dates.ts'
import type { Answer, PageInput } from '../page.ts'

export async function showHome({ session, catalogue }: PageInput): Promise<Answer> {
  session.update('num_visits', (visits = 0) => visits + 1)
  // Without this line the count is saved with the response, and nothing is lost either. Saving first makes the number on the
  // page exact when the same visitor opens the page many times at once: it is then the number that was stored.
  await session.save()

  const picks = catalogue.picks(today(), 30)
  return {
    view: 'home',
    title: 'LocalLibrary',
    data: {
      visits: session.get('num_visits'),
      counts: catalogue.counts(),
      picks: picks.slice(0, 6),
      // A spine has room for a short title.
      spines: picks
        .slice(6)
        .filter(({ title }) => title.length <= 21)
        .slice(0, 9),
    },
  }
}
