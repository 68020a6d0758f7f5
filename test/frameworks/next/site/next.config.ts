import { fileURLToPath } from 'node:url'
import type { NextConfig } from 'next'

export default {
  // The library is taken from the sources of this repository.
  turbopack: { root: fileURLToPath(new URL('../../../..', import.meta.url)) },
  // What the compiler has to say is said by `npm run check`.
  typescript: { ignoreBuildErrors: true },
  // A build is used once.
  experimental: { turbopackFileSystemCacheForBuild: false },
} satisfies NextConfig
