export interface Spread {
  median: number
  min: number
  max: number
}

export function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (index: number) => sorted[index] ?? Number.NaN
  const middle = sorted.length >> 1
  const median = sorted.length % 2 ? at(middle) : (at(middle - 1) + at(middle)) / 2
  return { median, min: at(0), max: at(sorted.length - 1) }
}

/** `0.84 (0.79–0.86)` with two digits; with none, and no range where there is none, `100`. */
export function show({ median, min, max }: Spread, digits: number): string {
  const [middle, low, high] = [median, min, max].map((value) => value.toFixed(digits))
  return digits === 0 && low === high ? `${middle}` : `${middle} (${low}–${high})`
}

/** A Markdown table; the first column stays left. */
export function table(head: string[], rows: string[][], align: 'left' | 'right'): string {
  const rule = head.map((_, column) => (column > 0 && align === 'right' ? '---:' : '---'))
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
