/** The name that was probably meant: the nearest one, when it is at most two letters away. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const ranked = names.map((candidate) => ({
    candidate,
    letters: distance(candidate.toLowerCase(), name.toLowerCase()),
  }))
  ranked.sort((a, b) => a.letters - b.letters)
  return ranked.find(({ letters }) => letters <= 2)?.candidate
}

/** How many letters must be added, removed or replaced to make one name of the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const replace = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(replace, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
