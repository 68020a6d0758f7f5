import type { Answer, PageInput } from '../page.ts'
import { sessions, type VisitorSession } from '../sessions.ts'
import { plural } from '../text.ts'

export async function showSessions({ session }: PageInput): Promise<Answer> {
  if (!session.userId) return { redirect: '/sign-in?next=/sessions' }
  const list = (await sessionsOf(session.userId, session)).map((one) => ({
    handle: one.handle,
    createdAt: one.createdAt,
    lastSeenAt: one.lastSeenAt,
    device: one.data?.device ?? 'Unknown device',
    isThisOne: one.handle === session.handle,
  }))
  list.sort((a, b) => Number(b.isThisOne) - Number(a.isThisOne) || b.lastSeenAt - a.lastSeenAt)
  const { ofUser: isWhole, revokeUser: canEndOthers } = sessions.supports
  return { view: 'sessions', title: 'Your sessions', data: { list, isWhole, canEndOthers } }
}

/** Where nobody can list a reader's sessions, since they are in the browsers' cookies, this one is all that is known. */
async function sessionsOf(userId: string, session: VisitorSession) {
  if (sessions.supports.ofUser) return sessions.ofUser(userId)
  const { handle, createdAt } = session
  return [{ handle, createdAt, lastSeenAt: Date.now(), data: { device: session.get('device') } }]
}

export async function revokeSession({ request, session }: PageInput): Promise<Answer> {
  if (!session.userId) return { redirect: '/sign-in?next=/sessions' }
  const handle = request.form.get('handle') ?? ''
  // A handle from a form may name anybody's session. Only those of the reader who asks are revoked.
  const own = await sessionsOf(session.userId, session)
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
  if (!sessions.supports.revokeUser) {
    session.flash('problem', 'Sessions in other browsers end by themselves only.')
    return { redirect: '/sessions' }
  }
  const ended = await sessions.revokeUser(session.userId, { except: session.handle })
  session.flash('done', endedOthers(ended))
  return { redirect: '/sessions' }
}

function endedOthers(ended: number): string {
  // Where nobody can count them.
  if (Number.isNaN(ended)) return 'All other sessions ended.'
  return ended > 0 ? `${plural(ended, 'other session')} ended.` : 'There was no other session.'
}
