/** Lower case without accents, so that "bronte" finds Brontë and Čapek stands under C. */
export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

/** Libraries file "The Time Machine" under T for Time. */
export function titleKey(title: string): string {
  return fold(title).replace(/^(the|an?) /, '')
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
