import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const executablePath = findChromium()
if (!executablePath) {
  const message = 'The browser tests need Chromium: apt-get install chromium, or CHROMIUM_PATH=<where it is>'
  if (process.env['CI']) throw new Error(message)
  console.warn(`Skipped. ${message}`)
}

/** How many milliseconds a page or the browser itself may take: both start slowly beside other tests. */
export const PATIENCE = 200_000

export const hasChromium = executablePath !== undefined

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    ...(executablePath && { executablePath }),
    timeout: PATIENCE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
    ],
  })
}

function findChromium(): string | undefined {
  const { CHROMIUM_PATH, PATH = '' } = process.env
  const candidates = ['/usr/bin', ...PATH.split(delimiter)].flatMap((folder) =>
    ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)),
  )
  return [CHROMIUM_PATH, ...candidates].find((path) => path && existsSync(path))
}
