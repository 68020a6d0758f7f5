import { readSession } from '../../lib/session.ts'

export async function GET() {
  const session = await readSession()
  return Response.json({ user: session.userId, ...Object.fromEntries(session) })
}
