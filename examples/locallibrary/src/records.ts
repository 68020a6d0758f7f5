export type CopyStatus = 'available' | 'on loan' | 'reserved' | 'maintenance'

export interface Genre {
  slug: string
  name: string
  about: string
}

export interface Author {
  slug: string
  name: string
  sortName: string
  born: number
  /** 1 when the year of birth is an estimate. */
  bornCirca: number
  died: number
  about: string
}

export interface Book {
  slug: string
  title: string
  author: string
  authorName: string
  /** First published. */
  year: number
  genre: string
  genreName: string
  language: string
  summary: string
  copies: number
  available: number
}

export interface Copy {
  id: string
  book: string
  title: string
  authorName: string
  genre: string
  shelf: string
  status: CopyStatus
  /** The day the copy is due back, as `2026-11-30`. */
  due: string | null
  borrower: string | null
}

export interface Counts {
  books: number
  copies: number
  available: number
  authors: number
  genres: number
}

export interface BookFilter {
  search?: string
  genre?: string
  author?: string
  onlyAvailable?: boolean
}

export type Counted<Thing> = Thing & { books: number }
