import { cpSync, linkSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Puts the packages of a folder into another one, where a bundler that follows no link out of a site sees them: by further names
 * for the same files, which cost next to nothing, or as copies on another disk.
 */
export function linkFiles(source: string, target: string): void {
  mkdirSync(target, { recursive: true })
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)]
    if (entry.isDirectory()) linkFiles(from, to)
    // What npm notes down of a folder is true of that folder only.
    else if (entry.name !== '.package-lock.json') linkFile(from, to)
  }
}

function linkFile(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    cpSync(from, to, { verbatimSymlinks: true })
  }
}
