import { STATUS_CODES } from 'node:http'
import type { View } from './page.ts'

const messages: Record<number, string> = {
  400: 'The request could not be understood.',
  403: 'This form was sent from another site, so nothing was changed.',
  404: 'There is no such page.',
  409: 'Something else changed your session at the same moment. Nothing was lost: please try again.',
  413: 'That was more than this form can take.',
  500: 'Something went wrong on our side. Nothing of yours was changed.',
  503: 'The library cannot reach its records right now. Please try again in a moment.',
}

/** The page for an error. Errors of Sojourn and of Express carry the HTTP status they mean. */
export function describeError(error: unknown): View & { status: number } {
  const named = error instanceof Error && 'status' in error ? error.status : undefined
  const status = typeof named === 'number' && named >= 400 && named < 600 ? named : 500
  return {
    view: 'error',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    data: { message: messages[status] ?? messages[status < 500 ? 400 : 500] },
  }
}
