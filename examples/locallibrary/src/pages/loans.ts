import { today } from '../dates.ts'
import type { Answer, PageInput } from '../page.ts'

export function showLoans({ session, catalogue }: PageInput): Answer {
  if (!session.userId) return { redirect: '/sign-in?next=/loans' }
  const loans = catalogue.loansOf(session.userId)
  return { view: 'loans', title: 'My loans', data: { loans, today: today() } }
}

export function returnCopy({ request, session, catalogue }: PageInput): Answer {
  if (!session.userId) return { redirect: '/sign-in?next=/loans' }
  const id = request.form.get('copy') ?? ''
  if (catalogue.takeBack(id, session.userId)) {
    session.flash('done', `${catalogue.copy(id)?.title} was returned. Thank you.`)
  } else {
    session.flash('problem', 'You do not have that copy.')
  }
  return { redirect: '/loans' }
}
