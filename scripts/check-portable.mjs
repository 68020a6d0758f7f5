// The core runs on any runtime, so nothing that `import 'sojourn'` loads may be a module of Node, dependencies included.
import { isBuiltin, registerHooks } from 'node:module'

const loaded = []
registerHooks({
  resolve(specifier, context, nextResolve) {
    if (isBuiltin(specifier)) loaded.push(`${context.parentURL} imports ${specifier}`)
    return nextResolve(specifier, context)
  },
})
await import(new URL('../dist/index.js', import.meta.url).href)

for (const line of loaded) console.error(line)
if (loaded.length > 0) process.exitCode = 1
