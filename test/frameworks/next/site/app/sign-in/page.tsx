import { signIn, signOut } from './actions'

export default function Page() {
  return (
    <main>
      <form id="signIn" action={signIn}>
        <input name="name" />
        <button type="submit">Sign in</button>
      </form>
      <form id="signOut" action={signOut}>
        <button type="submit">Sign out</button>
      </form>
    </main>
  )
}
