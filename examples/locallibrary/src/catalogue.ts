import { existsSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite'
import type { Author, Book, BookFilter, Copy, Counted, Counts, Genre } from './records.ts'
import { plant } from './seed.ts'
import { fold } from './text.ts'

const schema = `
  CREATE TABLE genres (slug TEXT PRIMARY KEY, name TEXT NOT NULL, about TEXT NOT NULL) STRICT;
  CREATE TABLE authors (
    slug TEXT PRIMARY KEY, name TEXT NOT NULL, sort_name TEXT NOT NULL, sort_key TEXT NOT NULL,
    born INTEGER NOT NULL, born_circa INTEGER NOT NULL, died INTEGER NOT NULL, about TEXT NOT NULL
  ) STRICT;
  CREATE TABLE books (
    slug TEXT PRIMARY KEY, title TEXT NOT NULL, sort_key TEXT NOT NULL, search_text TEXT NOT NULL,
    author TEXT NOT NULL REFERENCES authors (slug), year INTEGER NOT NULL,
    genre TEXT NOT NULL REFERENCES genres (slug), language TEXT NOT NULL, summary TEXT NOT NULL
  ) STRICT;
  CREATE INDEX books_by_author ON books (author);
  CREATE INDEX books_by_genre ON books (genre);
  CREATE TABLE copies (
    id TEXT PRIMARY KEY, book TEXT NOT NULL REFERENCES books (slug), shelf TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('available', 'on loan', 'reserved', 'maintenance')),
    due TEXT, borrower TEXT,
    CHECK ((status = 'on loan') = (due IS NOT NULL AND borrower IS NOT NULL))
  ) STRICT;
  CREATE INDEX copies_by_book ON copies (book, status);
  CREATE INDEX copies_by_borrower ON copies (borrower) WHERE borrower IS NOT NULL;
`

const selectBooks = `
  SELECT b.slug, b.title, b.author, a.name AS authorName, b.year, b.genre, g.name AS genreName, b.language,
    b.summary, count(c.id) AS copies, count(c.id) FILTER (WHERE c.status = 'available') AS available
  FROM books b JOIN authors a ON a.slug = b.author JOIN genres g ON g.slug = b.genre
    LEFT JOIN copies c ON c.book = b.slug`

const selectCopies = `
  SELECT c.id, c.book, b.title, a.name AS authorName, b.genre, c.shelf, c.status, c.due, c.borrower
  FROM copies c JOIN books b ON b.slug = c.book JOIN authors a ON a.slug = b.author`

const selectAuthors = `
  SELECT a.slug, a.name, a.sort_name AS sortName, a.born, a.born_circa AS bornCirca, a.died, a.about,
    count(b.slug) AS books
  FROM authors a JOIN books b ON b.author = a.slug`

const selectGenres = `
  SELECT g.slug, g.name, g.about, count(b.slug) AS books FROM genres g JOIN books b ON b.genre = g.slug`

/** The books, authors, genres and copies of the library, in one SQLite file that is planted from the seed. */
export class Catalogue {
  readonly #db: DatabaseSync

  constructor(path: string) {
    const isNew = path === ':memory:' || !existsSync(path)
    this.#db = new DatabaseSync(path)
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON')
    if (isNew || !this.#isPlanted()) this.#plantOnce()
  }

  counts(): Counts {
    return this.#one<Counts>(`
      SELECT (SELECT count(*) FROM books) AS books, (SELECT count(*) FROM copies) AS copies,
        (SELECT count(*) FROM copies WHERE status = 'available') AS available,
        (SELECT count(*) FROM authors) AS authors, (SELECT count(*) FROM genres) AS genres`) as Counts
  }

  /** One page of the books that match, by title, and how many match in all. */
  books(filter: BookFilter, page: { size: number; number: number }): { books: Book[]; total: number } {
    const { where, values } = bookConditions(filter)
    const total = this.#one<{ n: number }>(`SELECT count(*) AS n FROM books b ${where}`, ...values)?.n ?? 0
    const books = this.#all<Book>(
      `${selectBooks} ${where} GROUP BY b.slug ORDER BY b.sort_key LIMIT ? OFFSET ?`,
      ...values,
      page.size,
      (page.number - 1) * page.size,
    )
    return { books, total }
  }

  book(slug: string): Book | undefined {
    return this.#one<Book>(`${selectBooks} WHERE b.slug = ? GROUP BY b.slug`, slug)
  }

  /** A few books to show on the home page: others each day, the same all day. */
  picks(day: string, count: number): Book[] {
    const dayNumber = Date.parse(day) / 86_400_000
    return this.#all<Book>(
      `${selectBooks} GROUP BY b.slug HAVING available > 0 ORDER BY b.rowid * (b.rowid * 7919 + ?) % 10007 LIMIT ?`,
      dayNumber,
      count,
    )
  }

  authors(): Counted<Author>[] {
    return this.#all(`${selectAuthors} GROUP BY a.slug ORDER BY a.sort_key`)
  }

  author(slug: string): Counted<Author> | undefined {
    return this.#one(`${selectAuthors} WHERE a.slug = ? GROUP BY a.slug`, slug)
  }

  genres(): Counted<Genre>[] {
    return this.#all(`${selectGenres} GROUP BY g.slug ORDER BY g.name`)
  }

  genre(slug: string): Counted<Genre> | undefined {
    return this.#one(`${selectGenres} WHERE g.slug = ? GROUP BY g.slug`, slug)
  }

  copiesOf(book: string): Copy[] {
    return this.#all(`${selectCopies} WHERE c.book = ? ORDER BY c.id`, book)
  }

  copy(id: string): Copy | undefined {
    return this.#one(`${selectCopies} WHERE c.id = ?`, id)
  }

  loansOf(reader: string): Copy[] {
    return this.#all(`${selectCopies} WHERE c.borrower = ? ORDER BY c.due, c.id`, reader)
  }

  /**
   * Lends the copies that are still available, up to the limit of loans a reader may have, and answers the ids of those lent.
   * The condition is part of the UPDATE: of two readers who want the same copy at the same time, one gets it.
   */
  lend(copies: readonly string[], reader: string, due: string, limit: number): string[] {
    return this.#transaction(() => {
      const room = limit - this.loansOf(reader).length
      const lend = this.#db.prepare(
        `UPDATE copies SET status = 'on loan', borrower = ?, due = ? WHERE id = ? AND status = 'available'`,
      )
      const lent: string[] = []
      for (const id of copies) {
        if (lent.length < room && lend.run(reader, due, id).changes === 1) lent.push(id)
      }
      return lent
    })
  }

  /** Takes a copy back from the reader who has it. Answers whether that reader had it. */
  takeBack(copy: string, reader: string): boolean {
    const result = this.#db
      .prepare(
        `UPDATE copies SET status = 'available', borrower = NULL, due = NULL WHERE id = ? AND borrower = ?`,
      )
      .run(copy, reader)
    return result.changes === 1
  }

  close(): void {
    this.#db.close()
  }

  #isPlanted(): boolean {
    return this.#one<{ user_version: number }>('PRAGMA user_version')?.user_version === 1
  }

  /** In one transaction: of two servers that start together on an empty folder, one plants and the other waits. */
  #plantOnce(): void {
    this.#transaction(() => {
      if (this.#isPlanted()) return
      this.#db.exec(schema)
      plant(this.#db)
      this.#db.exec('PRAGMA user_version = 1')
    })
  }

  #transaction<Result>(work: () => Result): Result {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }

  #all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#db.prepare(sql).all(...values) as Record<string, SQLOutputValue>[] as Row[]
  }

  #one<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#db.prepare(sql).get(...values) as Record<string, SQLOutputValue> as Row | undefined
  }
}

function bookConditions({ search, genre, author, onlyAvailable }: BookFilter) {
  const conditions: string[] = []
  const values: SQLInputValue[] = []
  const add = (condition: string, value?: string) => {
    conditions.push(condition)
    if (value !== undefined) values.push(value)
  }
  // Each word on its own, so that "eliot mill" finds The Mill on the Floss.
  for (const word of fold(search ?? '').split(/\s+/)) {
    if (word) add(`b.search_text LIKE ? ESCAPE '\\'`, `%${word.replace(/[\\%_]/g, '\\$&')}%`)
  }
  if (genre) add('b.genre = ?', genre)
  if (author) add('b.author = ?', author)
  if (onlyAvailable) add(`EXISTS (SELECT 1 FROM copies c WHERE c.book = b.slug AND c.status = 'available')`)
  return { where: conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '', values }
}
