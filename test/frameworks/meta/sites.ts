import { join } from 'node:path'

// The rest of sites whose sessions a page of the documentation shows: what their generators write, and a few pages more.

export interface MetaSite {
  page: string
  /** The part of the page that is about it, by the headings at its ends. */
  from: string
  to: string
  /** The status of a page for what a handler throws. */
  fails: number
  /** Where its client asks for what a page shows, when somebody goes on inside the site: to the first page, a redirect, an error. */
  data?: string[]
  files: Record<string, string>
  /** The folder of tests that has its packages, if another one. */
  packages?: string
  /** Builds it, and starts it as in production, on port 3000. */
  commands: string
}

const bin = (name: string, packages = 'meta'): string =>
  join(import.meta.dirname, '..', packages, 'node_modules/.bin', name)

const COUNT = "session.update('num_visits', (n = 0) => n + 1)"
const READ = "session.get('num_visits', 0) + ' visits so far'"

const startRoute = (path: string, answer: string): Record<string, string> => ({
  [`src/routes/${path}.tsx`]: `import { createFileRoute, redirect } from '@tanstack/react-router'
import { createServerFn } from '@tanstack/react-start'
import { getRequest } from '@tanstack/react-start/server'
import { sessions } from '../../sessions.ts'
const act = createServerFn({ method: 'POST' }).handler(async () => {
  const session = await sessions.of(getRequest())
  ${answer}
})
export const Route = createFileRoute('/${path}')({ loader: () => act(), component: () => <p>{Route.useLoaderData()}</p> })
`,
})

const svelteRoute = (path: string, answer: string): Record<string, string> => ({
  [`src/routes/${path}/+page.server.ts`]: `import { error, redirect } from '@sveltejs/kit'
import { sessions } from '../../../sessions.ts'
export async function load({ request }) {
  const session = await sessions.of(request)
  ${answer}
}
`,
  [`src/routes/${path}/+page.svelte`]: '<script>const { data } = $props()</script>\n<p>{data.read}</p>',
})

const nitroRoute = (path: string, answer: string): Record<string, string> => ({
  [`server/routes/${path}.ts`]: `import { defineHandler, HTTPError, redirect } from 'nitro/h3'
import { sessions } from '../../sessions.ts'
export default defineHandler(async (event) => {
  const session = await sessions.of(event)
  ${answer}
})
`,
})

const reactRoute = (path: string, answer: string): Record<string, string> => ({
  [`app/routes/${path}.tsx`]: `import { redirect } from 'react-router'
import { sessions } from '../../sessions.ts'
export async function loader({ request }) {
  const session = await sessions.of(request)
  ${answer}
}
export default ({ loaderData }) => <p>{loaderData}</p>
`,
})

const astroPage = (name: string, answer: string): Record<string, string> => ({
  [`src/pages/${name}.astro`]: `---
import { sessions } from '../../sessions.ts'
const session = await sessions.of(Astro.request)
${answer}
---
<p>{read}</p>
`,
})

const nuxtRoute = (path: string, answer: string): Record<string, string> => ({
  [`server/${path}.ts`]: `import { sessions } from '../../sessions.ts'
export default defineEventHandler(async (event) => {
  const session = await sessions.of(event)
  ${answer}
})
`,
})

export const SITES: Record<string, MetaSite> = {
  'TanStack Start': {
    page: 'full-stack.md',
    from: '## TanStack Start',
    to: '## SvelteKit',
    fails: 500,
    files: {
      'vite.config.ts': `import { tanstackStart } from '@tanstack/react-start/plugin/vite'
export default { plugins: [tanstackStart()] }
`,
      'src/router.tsx': `import { createRouter } from '@tanstack/react-router'
import { routeTree } from './routeTree.gen'
export const getRouter = () => createRouter({ routeTree })
`,
      'src/routes/__root.tsx': `import { createRootRoute, Outlet, Scripts } from '@tanstack/react-router'
export const Route = createRootRoute({
  component: () => <html lang="en"><body><Outlet /><Scripts /></body></html>,
})
`,
      ...startRoute('read', `return ${READ}`),
      ...startRoute('redirect', `${COUNT}; throw redirect({ to: '/read', statusCode: 303 })`),
      ...startRoute('fails', `${COUNT}; throw new Error('short and stout')`),
    },
    commands: `${bin('vite')} build\n${bin('srvx')} serve --prod --static ../client dist/server/server.js`,
  },
  SvelteKit: {
    page: 'full-stack.md',
    from: '## SvelteKit',
    to: '## React Router',
    fails: 418,
    data: ['/__data.json', '/redirect/__data.json', '/fails/__data.json'],
    files: {
      'vite.config.ts': `import adapter from '@sveltejs/adapter-node'
import { sveltekit } from '@sveltejs/kit/vite'
export default { plugins: [sveltekit({ adapter: adapter() })] }
`,
      'src/app.html': '<html lang="en"><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>',
      'src/routes/+page.svelte':
        '<script>const { data } = $props()</script>\n<p>You have visited this page {data.visits} times.</p>',
      ...svelteRoute('read', `return { read: ${READ} }`),
      ...svelteRoute('redirect', `${COUNT}; redirect(303, '/read')`),
      ...svelteRoute('fails', `${COUNT}; error(418, 'short and stout')`),
    },
    commands: `${bin('vite')} build\nnode build`,
  },
  'React Router': {
    page: 'full-stack.md',
    from: '## React Router',
    to: '## Astro',
    fails: 500,
    data: ['/_.data', '/redirect.data', '/fails.data'],
    files: {
      // Its build would install this by itself.
      'package.json': '{ "type": "module", "dependencies": { "isbot": "*" } }',
      'vite.config.ts': `import { reactRouter } from '@react-router/dev/vite'
export default { plugins: [reactRouter()] }
`,
      'app/routes.ts': `import { index, route } from '@react-router/dev/routes'
const others = ['read', 'redirect', 'fails'].map((path) => route(path, \`routes/\${path}.tsx\`))
export default [index('routes/home.tsx'), ...others]
`,
      ...reactRoute('read', `return ${READ}`),
      ...reactRoute('redirect', `${COUNT}; throw redirect('/read', 303)`),
      ...reactRoute('fails', `${COUNT}; throw new Error('short and stout')`),
    },
    commands: `${bin('react-router')} build\nPORT=3000 ${bin('react-router-serve')} build/server/index.js`,
  },
  Astro: {
    page: 'full-stack.md',
    from: '## Astro',
    to: '## Good to know',
    fails: 500,
    files: {
      'astro.config.mjs': `import node from '@astrojs/node'
export default { output: 'server', adapter: node({ mode: 'standalone' }), server: { port: 3000 } }
`,
      ...astroPage('read', `const read = ${READ}`),
      ...astroPage('redirect', `${COUNT}; return Astro.redirect('/read', 303)`),
      ...astroPage('fails', `${COUNT}; throw new Error('short and stout')`),
      ...astroPage('500', `const read = ${READ}`),
    },
    commands: `ASTRO_TELEMETRY_DISABLED=1 ${bin('astro')} build\nNODE_ENV=production node dist/server/entry.mjs`,
  },
  'Nitro 3': {
    page: 'h3.md',
    from: '## Nitro 3',
    to: '## When the answer leaves',
    fails: 418,
    files: {
      ...nitroRoute('read', `return ${READ}`),
      ...nitroRoute('redirect', `${COUNT}; return redirect('/read', 303)`),
      ...nitroRoute('fails', `${COUNT}; throw new HTTPError({ status: 418, message: 'short and stout' })`),
    },
    commands: `${bin('nitro')} build\nnode .output/server/index.mjs`,
  },
  Nuxt: {
    page: 'h3.md',
    from: '## Nuxt and Nitro 2',
    to: '## Nitro 3',
    fails: 418,
    packages: 'nitro',
    files: {
      'nuxt.config.ts': "export default defineNuxtConfig({ compatibilityDate: '2026-07-30' })",
      // The page of what is no route of the server.
      'app/app.vue': `<script setup>const { data } = await useFetch('/api/read')</script>
<template><p>{{ data }}</p></template>
`,
      ...nuxtRoute('api/read', `return ${READ}`),
      ...nuxtRoute('routes/redirect', `${COUNT}; await sendRedirect(event, '/read', 303)`),
      ...nuxtRoute('routes/fails', `${COUNT}; throw createError({ status: 418 })`),
    },
    commands: `NUXT_TELEMETRY_DISABLED=1 ${bin('nuxt', 'nitro')} build\nnode .output/server/index.mjs`,
  },
}
