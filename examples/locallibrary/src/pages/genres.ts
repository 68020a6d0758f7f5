import type { Answer, PageInput } from '../page.ts'
import { notFound } from '../page.ts'

export function showGenres({ catalogue }: PageInput): Answer {
  return { view: 'genres', title: 'Genres', data: { genres: catalogue.genres() } }
}

export function showGenre({ request, catalogue }: PageInput): Answer {
  const genre = catalogue.genre(request.params['slug'] ?? '')
  if (!genre) return notFound('genre')
  const { books } = catalogue.books({ genre: genre.slug }, { size: 100, number: 1 })
  return { view: 'genre', title: genre.name, data: { genre, books } }
}
