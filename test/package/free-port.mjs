// Loaded in front of a program that listens on port 3000, as a page says, and makes it any free port, which it prints: on Node,
// and what Bun and Deno have of their own.
import { Server } from 'node:net'

const { listen } = Server.prototype

Server.prototype.listen = function (...args) {
  this.once('listening', () => print(this.address()))
  return listen.apply(this, args.map(free))
}

function free(argument) {
  if (argument === 3000) return 0
  return argument?.port === 3000 ? { ...argument, port: 0 } : argument
}

function print({ port }) {
  console.log(`listens on port ${port}`)
}

const { Bun, Deno } = globalThis

if (Bun) {
  const { serve } = Bun
  // It listens on 3000 where nothing is said.
  Bun.serve = (options) => {
    const server = serve(free({ port: 3000, ...options }))
    print(server)
    return server
  }
}

if (Deno) {
  const { serve } = Deno
  Deno.serve = (options, ...rest) => serve({ ...free(options), onListen: print }, ...rest)
}
