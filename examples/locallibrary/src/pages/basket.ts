import { addDays, formatDay, today } from '../dates.ts'
import type { Answer, PageInput } from '../page.ts'
import { plural } from '../text.ts'

const basketLimit = 10
const loanLimit = 12
const loanDays = 21

export function showBasket({ session, catalogue }: PageInput): Answer {
  const copies = session.get('basket', []).flatMap((id) => catalogue.copy(id) ?? [])
  return { view: 'basket', title: 'Basket', data: { copies, reader: session.userId, loanDays } }
}

/** Takes a copy by its id, or any free copy of a book. */
export function addToBasket({ request, session, catalogue }: PageInput): Answer {
  const basket = session.get('basket', [])
  const copy = request.form.has('copy')
    ? catalogue.copy(request.form.get('copy') ?? '')
    : catalogue
        .copiesOf(request.form.get('book') ?? '')
        .find(({ id, status }) => status === 'available' && !basket.includes(id))

  if (copy?.status !== 'available') {
    session.flash('problem', 'That copy is not available.')
    return { redirect: copy ? `/books/${copy.book}` : '/books' }
  }
  if (basket.length >= basketLimit) {
    session.flash('problem', `A basket holds ${basketLimit} copies at most.`)
    return { redirect: '/basket' }
  }
  // update(), not set(): a second click, or another tab, at the same moment must not cost the visitor a book.
  session.update('basket', (ids = []) => (ids.includes(copy.id) ? ids : [...ids, copy.id]))
  session.flash('done', `${copy.title} is in your basket.`)
  return { redirect: `/books/${copy.book}` }
}

export function removeFromBasket({ request, session, catalogue }: PageInput): Answer {
  const id = request.form.get('copy') ?? ''
  if (session.get('basket')?.includes(id)) {
    session.update('basket', (ids = []) => ids.filter((other) => other !== id))
    session.flash('done', `${catalogue.copy(id)?.title ?? 'The copy'} was taken out of your basket.`)
  }
  return { redirect: '/basket' }
}

export function borrowBasket({ session, catalogue }: PageInput): Answer {
  const reader = session.userId
  if (!reader) return { redirect: '/sign-in?next=/basket' }
  const wanted = session.get('basket', [])
  if (wanted.length === 0) return { redirect: '/basket' }

  const due = addDays(today(), loanDays)
  const lent = catalogue.lend(wanted, reader, due, loanLimit)
  session.update('basket', (ids = []) => ids.filter((id) => !lent.includes(id)))
  if (lent.length > 0) {
    session.flash('done', `${plural(lent.length, 'copy', 'copies')} borrowed, due back on ${formatDay(due)}.`)
  }
  if (lent.length < wanted.length) {
    const missing = plural(wanted.length - lent.length, 'copy', 'copies')
    session.flash(
      'problem',
      `${missing} could not be borrowed: taken by another reader, or past your limit of ${loanLimit} loans.`,
    )
    return { redirect: '/basket' }
  }
  return { redirect: '/loans' }
}
