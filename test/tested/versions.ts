import { existsSync, readFileSync } from 'node:fs'

/** Whether a package of that name is installed. @param folder - below the root, whose packages are meant */
export function hasPackage(name: string, folder = '.'): boolean {
  return existsSync(manifest(name, folder))
}

/** The version of an installed package. */
export function versionOf(name: string, folder = '.'): string {
  return JSON.parse(readFileSync(manifest(name, folder), 'utf8')).version
}

/** The version that a folder pins of an optional package, which not every machine can install. */
export function pinOf(name: string, folder: string): string {
  const { optionalDependencies } = JSON.parse(readFileSync(at(`${folder}/package.json`), 'utf8'))
  return String(optionalDependencies[name]).replace(/^npm:.*@/, '')
}

function manifest(name: string, folder: string): URL {
  return at(`${folder}/node_modules/${name}/package.json`)
}

function at(path: string): URL {
  return new URL(`../../${path}`, import.meta.url)
}
