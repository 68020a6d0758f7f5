// The core, the cookie store and the adapters of the Fetch standard run on any runtime, so nothing that they load may be a
// module of Node, dependencies included.
import { isBuiltin, registerHooks } from 'node:module'

const loaded = []
registerHooks({
  resolve(specifier, context, nextResolve) {
    if (isBuiltin(specifier)) loaded.push(`${context.parentURL} imports ${specifier}`)
    return nextResolve(specifier, context)
  },
})
for (const entry of [
  'index',
  'stores/memory',
  'stores/cookie',
  'stores/d1',
  'adapters/fetch',
  'adapters/hono',
  'adapters/h3',
]) {
  await import(new URL(`../dist/${entry}.js`, import.meta.url).href)
}

for (const line of loaded) console.error(line)
if (loaded.length > 0) process.exitCode = 1
