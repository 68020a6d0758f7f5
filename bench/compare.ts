const ROUNDS = 7

type Part = () => unknown

/** Medians of interleaved rounds, in microseconds a call: what slows one round slows all parts. */
export async function compare(title: string, parts: Record<string, Part>, calls = 20_000): Promise<void> {
  const times = new Map<string, number[]>()
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, part] of Object.entries(parts)) {
      const start = performance.now()
      for (let i = 0; i < calls; i++) {
        const result = part()
        if (result instanceof Promise) await result
      }
      const micros = ((performance.now() - start) / calls) * 1000
      // The first round warms up.
      if (round >= 0) times.set(name, [...(times.get(name) ?? []), micros])
    }
  }
  console.log(`\n${title}`)
  for (const [name, all] of times) {
    const sorted = all.toSorted((a, b) => a - b)
    console.log(
      `  ${name.padEnd(44)} ${sorted[ROUNDS >> 1]?.toFixed(2)} µs (${sorted[0]?.toFixed(2)} to ${sorted.at(-1)?.toFixed(2)})`,
    )
  }
}
