import type { Answer, PageInput } from '../page.ts'
import { sessions } from '../sessions.ts'
import { plural } from '../text.ts'

export async function showSessions({ session }: PageInput): Promise<Answer> {
  if (!session.userId) return { redirect: '/sign-in?next=/sessions' }
  const list = (await sessions.ofUser(session.userId)).map(({ handle, createdAt, lastSeenAt, data }) => ({
    handle,
    createdAt,
    lastSeenAt,
    device: data?.device ?? 'Unknown device',
    isThisOne: handle === session.handle,
  }))
  list.sort((a, b) => Number(b.isThisOne) - Number(a.isThisOne) || b.lastSeenAt - a.lastSeenAt)
  return { view: 'sessions', title: 'Your sessions', data: { list } }
}

export async function revokeSession({ request, session }: PageInput): Promise<Answer> {
  if (!session.userId) return { redirect: '/sign-in?next=/sessions' }
  const handle = request.form.get('handle') ?? ''
  // A handle from a form may name anybody's session. Only those of the reader who asks are revoked.
  const own = await sessions.ofUser(session.userId)
  if (!own.some((other) => other.handle === handle)) {
    session.flash('problem', 'That session has already ended.')
    return { redirect: '/sessions' }
  }
  if (handle === session.handle) {
    session.destroy()
    session.flash('done', 'You are signed out.')
    return { redirect: '/' }
  }
  await sessions.revoke(handle)
  session.flash('done', 'That session has ended.')
  return { redirect: '/sessions' }
}

export async function revokeOtherSessions({ session }: PageInput): Promise<Answer> {
  if (!session.userId) return { redirect: '/sign-in?next=/sessions' }
  const ended = await sessions.revokeUser(session.userId, { except: session.handle })
  session.flash(
    'done',
    ended > 0 ? `${plural(ended, 'other session')} ended.` : 'There was no other session.',
  )
  return { redirect: '/sessions' }
}
