import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { addDays, today } from './dates.ts'
import type { CopyStatus } from './records.ts'
import { fold, titleKey } from './text.ts'

interface Seed {
  genres: { slug: string; name: string; about: string }[]
  authors: {
    slug: string
    name: string
    sortName: string
    born: number
    bornCirca?: true
    died: number
    about: string
  }[]
  books: {
    slug: string
    title: string
    author: string
    year: number
    genre: string
    language: string
    summary: string
  }[]
}

/** Fills an empty catalogue from seed/library.json, and gives each book two to five copies. */
export function plant(db: DatabaseSync): void {
  const seed: Seed = JSON.parse(readFileSync(join(import.meta.dirname, '../seed/library.json'), 'utf8'))
  const authorOf = new Map(seed.authors.map((author) => [author.slug, author]))

  const addGenre = db.prepare('INSERT INTO genres VALUES (?, ?, ?)')
  for (const { slug, name, about } of seed.genres) addGenre.run(slug, name, about)

  const addAuthor = db.prepare('INSERT INTO authors VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  for (const { slug, name, sortName, born, bornCirca, died, about } of seed.authors) {
    addAuthor.run(slug, name, sortName, fold(sortName), born, bornCirca ? 1 : 0, died, about)
  }

  const addBook = db.prepare('INSERT INTO books VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const addCopy = db.prepare('INSERT INTO copies VALUES (?, ?, ?, ?, ?, ?)')
  for (const [index, book] of seed.books.entries()) {
    const author = authorOf.get(book.author)
    if (!author)
      throw new Error(`seed/library.json: "${book.slug}" names an unknown author, "${book.author}"`)
    const { slug, title, year, genre, language, summary } = book
    const searchText = fold(`${title} ${author.name}`)
    addBook.run(slug, title, titleKey(title), searchText, book.author, year, genre, language, summary)

    const shelf = `${genre.slice(0, 3)} ${fold(author.sortName)
      .replace(/[^a-z]/g, '')
      .slice(0, 3)}`.toUpperCase()
    for (let number = 1; number <= 2 + (index % 4); number++) {
      const id = `LL-${String(index + 1).padStart(3, '0')}-${number}`
      const { status, due, borrower } = condition(index * 5 + number)
      addCopy.run(id, slug, shelf, status, due, borrower)
    }
  }
}

/** A library in use: mostly on the shelf, some out, a few overdue. The same for everyone who plants it on the same day. */
function condition(n: number): { status: CopyStatus; due: string | null; borrower: string | null } {
  const dice = (n * 37) % 101
  if (dice < 62) return { status: 'available', due: null, borrower: null }
  if (dice < 92) {
    return { status: 'on loan', due: addDays(today(), (n % 24) - 3), borrower: `reader-${100 + (n % 89)}` }
  }
  return { status: dice < 97 ? 'reserved' : 'maintenance', due: null, borrower: null }
}
