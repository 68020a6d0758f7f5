import type { Route } from './page.ts'
import { showAuthor, showAuthors } from './pages/authors.ts'
import { addToBasket, borrowBasket, removeFromBasket, showBasket } from './pages/basket.ts'
import { showBook, showBooks } from './pages/books.ts'
import { showGenre, showGenres } from './pages/genres.ts'
import { showHome } from './pages/home.ts'
import { returnCopy, showLoans } from './pages/loans.ts'
import { revokeOtherSessions, revokeSession, showSessions } from './pages/sessions.ts'
import { showSignIn, signIn, signOut } from './pages/sign-in.ts'

/** The whole site on one screen. */
export const routes: Route[] = [
  { method: 'get', path: '/', page: showHome },

  { method: 'get', path: '/books', page: showBooks },
  { method: 'get', path: '/books/:slug', page: showBook },
  { method: 'get', path: '/authors', page: showAuthors },
  { method: 'get', path: '/authors/:slug', page: showAuthor },
  { method: 'get', path: '/genres', page: showGenres },
  { method: 'get', path: '/genres/:slug', page: showGenre },

  { method: 'get', path: '/sign-in', page: showSignIn },
  { method: 'post', path: '/sign-in', page: signIn },
  { method: 'post', path: '/sign-out', page: signOut },

  { method: 'get', path: '/basket', page: showBasket },
  { method: 'post', path: '/basket/add', page: addToBasket },
  { method: 'post', path: '/basket/remove', page: removeFromBasket },
  { method: 'post', path: '/basket/borrow', page: borrowBasket },

  { method: 'get', path: '/loans', page: showLoans },
  { method: 'post', path: '/loans/return', page: returnCopy },

  { method: 'get', path: '/sessions', page: showSessions },
  { method: 'post', path: '/sessions/revoke', page: revokeSession },
  { method: 'post', path: '/sessions/revoke-others', page: revokeOtherSessions },
]
