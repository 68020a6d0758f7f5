import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import { folderOfTest, temporaryFolder } from './temporary.ts'

function mount(folder: string, bytes: number): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]).status === 0
}

function unmount(folder: string): void {
  spawnSync('umount', ['--lazy', folder])
}

/** Whether a test may mount a disk here: root may, outside of most containers. */
export function mayMount(): boolean {
  const folder = temporaryFolder()
  const mounted = mount(folder, 65_536)
  if (mounted) unmount(folder)
  rmSync(folder, { recursive: true })
  return mounted
}

/** A folder on a disk of its own of so many bytes. */
export function smallDisk(bytes: number): string {
  const folder = folderOfTest()
  if (!mount(folder, bytes)) throw new Error('The disk was not mounted')
  onTestFinished(() => unmount(folder))
  return folder
}

/** Takes all the room that is left on a disk, by a file there. */
export function fill(path: string): void {
  const block = Buffer.alloc(1_048_576)
  for (let size = block.length; size >= 1024; ) {
    try {
      writeFileSync(path, block.subarray(0, size), { flag: 'a' })
    } catch {
      size /= 2
    }
  }
}
