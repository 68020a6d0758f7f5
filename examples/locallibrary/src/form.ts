const MAX_BYTES = 10_000

/** The fields of a form. @throws an error of status 413 when it is longer than any form of this site. */
export async function readForm(body: AsyncIterable<Uint8Array> | null): Promise<URLSearchParams> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.length
    if (size > MAX_BYTES) throw Object.assign(new Error('The form is too long'), { status: 413 })
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString())
}
