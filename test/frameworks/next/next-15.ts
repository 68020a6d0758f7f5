import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPackage, link } from '../../package/pages.ts'
import { addRoutes, type LaidOut, layOutPage } from './served.ts'

/** The page in a folder that was empty, and the routes of the test beside it, for Next 15: by what the page says is different there. */
export async function layOutFor15(): Promise<LaidOut> {
  const page = await layOutPage({}, join(import.meta.dirname, '../next15'))
  addRoutes(page)
  const at = (name: string): string => join(page.folder, name)
  rmSync(at('node_modules/typescript'))
  link(findPackage('typescript60'), at('node_modules/typescript'))
  renameSync(at('proxy.ts'), at('middleware.ts'))
  change(at('middleware.ts'), 'export const config = {', "export const config = {\n  runtime: 'nodejs',")
  change(at('middleware.ts'), 'missing: [', "missing: [{ type: 'header', key: 'content-type' }, ")
  change(at('app/actions.ts'), 'import { refresh }', 'import { revalidatePath }')
  change(at('app/actions.ts'), 'refresh()', "revalidatePath('/')")
  writeFileSync(at('tsconfig.json'), '{ "compilerOptions": { "moduleResolution": "bundler" } }')
  return page
}

function change(file: string, from: string, to: string): void {
  const code = readFileSync(file, 'utf8')
  if (!code.includes(from)) throw new Error(`${file} has no ${from}`)
  writeFileSync(file, code.replace(from, to))
}
