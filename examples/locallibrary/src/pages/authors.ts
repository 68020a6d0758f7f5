import type { Answer, PageInput } from '../page.ts'
import { notFound } from '../page.ts'
import { fold } from '../text.ts'

export function showAuthors({ catalogue }: PageInput): Answer {
  const authors = catalogue.authors()
  const letters = Map.groupBy(authors, ({ sortName }) => fold(sortName).charAt(0).toUpperCase())
  return { view: 'authors', title: 'Authors', data: { total: authors.length, letters: [...letters] } }
}

export function showAuthor({ request, catalogue }: PageInput): Answer {
  const author = catalogue.author(request.params['slug'] ?? '')
  if (!author) return notFound('author')
  const { books } = catalogue.books({ author: author.slug }, { size: 100, number: 1 })
  return { view: 'author', title: author.name, data: { author, books } }
}
