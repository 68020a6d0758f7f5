import { readSession } from '../../lib/shop'

export async function GET() {
  const session = await readSession()
  return Response.json({ user: session.userId, ...Object.fromEntries(session) })
}
