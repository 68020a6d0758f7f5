import { spawnSync } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { folderOfTest } from './temporary.ts'

/** A folder on a disk of its own of so many bytes, or `undefined` where a test may not mount one. */
export function smallDisk(bytes: number): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined
  const folder = folderOfTest()
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder])
  if (status !== 0) return undefined
  onTestFinished(() => void spawnSync('umount', ['--lazy', folder]))
  return folder
}
