// The code blocks of a page of the documentation, as `check-examples.mjs` compiles them and the tests follow them.

const BLOCK = /(?:<!-- before:([\s\S]*?)-->\s*\n)?^```(tsx?|sh|astro)\n([\s\S]*?)^```$/gm
const FILE_NAME = /^(?:---\n)?\/\/ ([\w./+-]+\.(?:tsx?|astro))\b/

export interface Line {
  code: string
  /** Which line of the page it is, from 1. */
  number: number
}

export interface Block {
  language: 'ts' | 'sh' | 'astro'
  /** The file that the block is, when its first line says so. */
  name: string | undefined
  /** What the block needs and a reader does not see, from the comment in front of it. */
  hidden: Line[]
  lines: Line[]
  /** Its lines, as one text. */
  code: string
}

/** The `ts`, `sh` and `astro` blocks of a page. @param text - the page, as Markdown */
export function blocksOf(text: string): Block[] {
  const numbered = (part: string, start: number): Line[] => {
    const first = text.slice(0, start).split('\n').length
    return part.split('\n').map((code, i) => ({ code, number: first + i }))
  }
  return [...text.matchAll(BLOCK)].map((match) => {
    const [whole, before = '', language, code = ''] = match
    const start = match.index + whole.lastIndexOf(code)
    return {
      language: language === 'sh' || language === 'astro' ? language : 'ts',
      name: FILE_NAME.exec(code)?.[1],
      hidden: before ? numbered(before, match.index) : [],
      lines: numbered(code.trimEnd(), start),
      code: code.trimEnd(),
    }
  })
}
