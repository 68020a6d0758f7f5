import type { Answer, PageInput } from '../page.ts'
import { notFound } from '../page.ts'

const pageSize = 24

export function showBooks({ request, catalogue }: PageInput): Answer {
  const search = (request.query.get('q') ?? '').trim().slice(0, 100)
  const genre = catalogue.genre(request.query.get('genre') ?? '')?.slug ?? ''
  const onlyAvailable = request.query.has('available')
  const number = pageNumber(request.query.get('page'))

  const { books, total } = catalogue.books({ search, genre, onlyAvailable }, { size: pageSize, number })
  const pages = Math.max(1, Math.ceil(total / pageSize))
  if (number > pages) return notFound()

  const linkTo = (page: number) => {
    const query = new URLSearchParams()
    if (search) query.set('q', search)
    if (genre) query.set('genre', genre)
    if (onlyAvailable) query.set('available', 'yes')
    if (page > 1) query.set('page', String(page))
    return query.size > 0 ? `/books?${query}` : '/books'
  }
  return {
    view: 'books',
    title: 'Books',
    data: {
      books,
      total,
      filter: { search, genre, onlyAvailable },
      genres: catalogue.genres(),
      paging: {
        number,
        pages,
        previous: number > 1 ? linkTo(number - 1) : undefined,
        next: number < pages ? linkTo(number + 1) : undefined,
      },
    },
  }
}

export function showBook({ request, session, catalogue }: PageInput): Answer {
  const book = catalogue.book(request.params['slug'] ?? '')
  if (!book) return notFound('book')
  const copies = catalogue.copiesOf(book.slug)
  const basket = session.get('basket', [])
  return {
    view: 'book',
    title: book.title,
    data: {
      book,
      copies,
      basket,
      reader: session.userId,
      canAdd: copies.some((copy) => copy.status === 'available' && !basket.includes(copy.id)),
    },
  }
}

function pageNumber(text: string | null): number {
  return text && /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 1
}
