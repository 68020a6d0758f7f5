/** The middle of some figures, and how far they lie apart. */
export interface Spread {
  median: number
  low: number
  high: number
}

/** From the lowest to the highest. */
export function spread(values: readonly number[]): Spread {
  return between(values, 0, 1)
}

/** From the lower quartile to the upper one: what happened to a round or two does not show. */
export function quartiles(values: readonly number[]): Spread {
  return between(values, 0.25, 0.75)
}

function between(values: readonly number[], from: number, to: number): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number) => {
    const place = part * (sorted.length - 1)
    const [before = Number.NaN, after = before] = sorted.slice(Math.floor(place))
    return before + (after - before) * (place - Math.floor(place))
  }
  return { median: at(0.5), low: at(from), high: at(to) }
}

/** `0.84 (0.79–0.86)` with two digits; with none, and no range where there is none, `100`. */
export function show({ median, low, high }: Spread, digits: number): string {
  const [middle, from, to] = [median, low, high].map((value) =>
    value.toFixed(digits).replace(/^-(?=[0.]*$)/, ''),
  )
  return digits === 0 && from === to ? `${middle}` : `${middle} (${from}–${to})`
}

/** A Markdown table; the first column stays left. */
export function table(head: string[], rows: string[][], align: 'left' | 'right'): string {
  const rule = head.map((_, column) => (column > 0 && align === 'right' ? '---:' : '---'))
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
