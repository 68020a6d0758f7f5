import { proxy } from './lib/session.ts'

export default proxy()

export const config = {
  matcher: [
    {
      source: '/((?!_next/|control|count|set|contract).*)',
      missing: [{ type: 'header', key: 'next-router-prefetch' }],
    },
  ],
}
