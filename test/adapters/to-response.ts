import type { PageAnswer } from '../../src/testing/adapter-site.ts'

const encoder = new TextEncoder()

/** The answer of a page as the Fetch standard has it. */
export function toResponse({ status = 200, headers = [], body }: PageAnswer): Response {
  return new Response(typeof body === 'object' ? streamed(body) : body, {
    status,
    headers: headers.map(([...pair]) => pair),
  })
}

function streamed(body: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    async cancel() {
      await chunks.return?.()
    },
  })
}
