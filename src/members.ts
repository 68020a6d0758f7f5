/**
 * Tells the members of a JSON object, each as the text that it has there: nothing is parsed, so a value that nobody asks for
 * costs nothing, and one that nobody changes is written as it was read.
 * @param text - As `JSON.stringify` writes it, without blanks. What is inside the values is not looked at.
 * @param tell - Given the name, and the text of the member with the place in it where the value begins.
 * @returns the place after the object
 * @throws Error when no object begins there, or it does not end.
 */
export function readMembers(
  text: string,
  start: number,
  tell: (name: string, member: string, valueAt: number) => void,
): number {
  if (text.charCodeAt(start) !== OPEN_BRACE) throw notJson()
  if (text.charCodeAt(start + 1) === CLOSE_BRACE) return start + 2
  for (let at = start + 1; ; at++) {
    const colon = endOfString(text, at)
    if (text.charCodeAt(colon) !== COLON) throw notJson()
    const end = endOfValue(text, colon + 1)
    tell(nameOf(text, at, colon), text.slice(at, end), colon + 1 - at)
    at = end
    const next = text.charCodeAt(at)
    if (next === CLOSE_BRACE) return at + 1
    if (next !== COMMA) throw notJson()
  }
}

const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

function nameOf(text: string, start: number, end: number): string {
  const name = text.slice(start + 1, end - 1)
  return name.includes('\\') ? JSON.parse(`"${name}"`) : name
}

/** The place after the string that begins there. */
function endOfString(text: string, start: number): number {
  if (text.charCodeAt(start) !== QUOTE) throw notJson()
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) return at + 1
    if (char === BACKSLASH) at++
  }
  throw notJson()
}

/** The place after the value that begins there. */
function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first === QUOTE) return endOfString(text, start)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfNested(text, start)
  for (let at = start; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) break
    if (char !== COMMA && char !== CLOSE_BRACE) continue
    if (at === start) break
    return at
  }
  throw notJson()
}

function endOfNested(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) at = endOfString(text, at) - 1
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) depth++
    else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth--
    if (depth === 0) return at + 1
  }
  throw notJson()
}

/** Says nothing of the data, which may be on its way to a log. */
export function notJson(): Error {
  return new Error('The entry is not JSON')
}
