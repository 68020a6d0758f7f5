import type { Metadata } from 'next'
import type { ReactNode } from 'react'
import { readSession } from '../lib/session.ts'

export async function generateMetadata(): Promise<Metadata> {
  const session = await readSession()
  return { title: `Visits: ${session.get('num_visits', 0)}` }
}

export default async function Layout({ children }: { children: ReactNode }) {
  const session = await readSession()
  return (
    <html lang="en">
      <body>
        <header id="user">{session.userId ?? 'nobody'}</header>
        {children}
      </body>
    </html>
  )
}
