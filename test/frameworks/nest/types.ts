/*
 * What the types of the adapter for NestJS promise. Compiled, never run: each `@ts-expect-error` is a mistake that the
 * compiler must find.
 */
import { Controller, Get, Inject, Module, Req } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { SESSIONS, Session, SessionModule } from '../../../src/adapters/nest.ts'
import type { Session as LiveSession, Sessions } from '../../../src/index.ts'

interface Shop {
  num_visits: number
}

interface Admin {
  level: number
}

declare const sessions: Sessions<Shop>
declare const admins: Sessions<Admin>

function check(session: Session<Shop>): string {
  // @ts-expect-error: there is no such key
  session.get('num_visit')
  // @ts-expect-error: not a number
  session.set('num_visits', 'three')
  return String(session.update('num_visits', (n = 0) => n + 1))
}

@Controller()
class Pages {
  readonly #all: Sessions<Shop>

  constructor(@Inject(SESSIONS) all: Sessions<Shop>) {
    this.#all = all
  }

  @Get()
  first(@Session() session: Session<Shop>): string {
    return check(session)
  }

  @Get('own')
  async own(@Req() request: object): Promise<string> {
    return check(await this.#all.of(request))
  }

  @Get('second')
  second(@Session(sessions) session: LiveSession<Shop>, @Session(admins) admin: Session<Admin>): string {
    return check(session) + admin.get('level', 0)
  }

  @Get('third')
  // @ts-expect-error: those are the sessions of others
  third(@Session(admins) session: Session<Shop>): string {
    return check(session)
  }
}

@Module({
  imports: [
    SessionModule.forRoot({ sessions }),
    SessionModule.forRootAsync({
      inject: [SESSIONS],
      useFactory: (first: Sessions<Shop> | undefined) => ({ sessions: first ?? sessions }),
    }),
    SessionModule.forRootAsync({ useFactory: async () => ({ sessions: admins }) }),
  ],
  controllers: [Pages],
})
class App {}

export const app = NestFactory.create(App)

// @ts-expect-error: no sessions
SessionModule.forRoot({})
// @ts-expect-error: no such option
SessionModule.forRoot({ sessions, eager: true })
// @ts-expect-error: not sessions
Session({})
