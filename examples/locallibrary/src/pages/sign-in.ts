import { nameDevice } from '../device.ts'
import type { Answer, PageInput } from '../page.ts'
import { demoReaders, verifyReader } from '../readers.ts'
import { safePath } from '../security.ts'

export function showSignIn({ request, session }: PageInput): Answer {
  const next = safePath(request.query.get('next'))
  if (session.userId) return { redirect: next }
  return { view: 'sign-in', title: 'Sign in', data: { next, demoReaders } }
}

export async function signIn({ request, session }: PageInput): Promise<Answer> {
  const name = (request.form.get('name') ?? '').trim().toLowerCase()
  const next = safePath(request.form.get('next'))
  const reader = await verifyReader(name, request.form.get('password') ?? '')
  if (!reader) {
    return {
      view: 'sign-in',
      title: 'Sign in',
      status: 422,
      // One message for both mistakes, so that the page does not tell which names exist.
      data: { next, name, demoReaders, problem: 'This name and password do not belong together.' },
    }
  }
  // A new id for the same session: what the visitor gathered before, such as the basket, comes along.
  session.login(reader.id)
  session.set('device', nameDevice(request.userAgent))
  session.flash('done', `Welcome, ${reader.name}.`)
  return { redirect: next }
}

export function signOut({ session }: PageInput): Answer {
  session.destroy()
  // After destroy() the visitor has a new, empty, anonymous session: it carries the message to the next page.
  session.flash('done', 'You are signed out.')
  return { redirect: '/' }
}
