import 'reflect-metadata'
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Module,
  Redirect,
  type Type,
  UseGuards,
} from '@nestjs/common'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SESSIONS, Session, SessionModule } from '../../../src/adapters/nest.ts'
import { createSessions, type Session as LiveSession, type Sessions } from '../../../src/index.ts'
import { Browser } from '../../../src/testing/browser.ts'
import { method, moduleOf, PLATFORMS, start } from './sites.ts'

interface Data {
  n: number
}

interface Admin {
  level: number
}

const inDevelopment = { cookie: { secure: false } } as const

describe.each(PLATFORMS)('@Session() on %s', (platform) => {
  async function serve(imports: Parameters<typeof moduleOf>[0], ...controllers: Type[]) {
    const site = await start(moduleOf(imports, ...controllers), platform, (app) => app.setGlobalPrefix('app'))
    onTestFinished(() => site.close())
    return site.origin
  }

  class Pages {
    visit(session: LiveSession<Data>): string {
      return `Visits: ${session.update('n', (n = 0) => n + 1)}`
    }
    read(session: LiveSession<Data>): string {
      return `Read: ${session.get('n', 0)}, ${session.userId}`
    }
    signIn(session: LiveSession<Data>): void {
      session.login('ann')
    }
    refuse(session: LiveSession<Data>): void {
      session.set('n', 40)
      throw new ForbiddenException('No entry')
    }
    nothing(): string {
      return 'nothing'
    }
  }
  method(Pages, 'visit', [Get('visit')], [Session()])
  method(Pages, 'read', [Get('read')], [Session()])
  method(Pages, 'signIn', [Get('sign-in'), Redirect('/app/read', 303)], [Session()])
  method(Pages, 'refuse', [Get('refuse')], [Session()])
  method(Pages, 'nothing', [Get('nothing')])
  Controller()(Pages)

  it('gives handlers the loaded session, which is saved before the answer', async () => {
    const sessions = createSessions<Data>(inDevelopment)
    const ann = new Browser(await serve([SessionModule.forRoot({ sessions })], Pages))
    expect((await ann.get('/app/nothing')).setCookies).toEqual([])
    expect((await ann.get('/app/visit')).body).toBe('Visits: 1')
    expect((await ann.get('/app/visit')).body).toBe('Visits: 2')
    const signedIn = await ann.get('/app/sign-in')
    expect(signedIn.status).toBe(303)
    expect((await ann.get('/app/read')).body).toBe('Read: 2, ann')
  })

  it('keeps what a handler changed before it threw an HttpException', async () => {
    const sessions = createSessions<Data>(inDevelopment)
    const ann = new Browser(await serve([SessionModule.forRoot({ sessions })], Pages))
    expect((await ann.get('/app/refuse')).status).toBe(403)
    expect((await ann.get('/app/visit')).body).toBe('Visits: 41')
  })

  it('loses nothing of 100 requests at once', async () => {
    const sessions = createSessions<Data>(inDevelopment)
    const ann = new Browser(await serve([SessionModule.forRoot({ sessions })], Pages))
    await ann.get('/app/visit')
    await Promise.all(Array.from({ length: 100 }, () => ann.get('/app/visit')))
    expect((await ann.get('/app/visit')).body).toBe('Visits: 102')
  })

  it('is there in guards, and in modules whose sessions come of other providers', async () => {
    const sessions = createSessions<Data>(inDevelopment)
    const CONFIG = Symbol('config')
    class Config {}
    Module({ providers: [{ provide: CONFIG, useValue: sessions }], exports: [CONFIG] })(Config)
    class Visitors implements CanActivate {
      async canActivate(context: ExecutionContext): Promise<boolean> {
        return !(await sessions.of(context.switchToHttp().getRequest())).isEmpty
      }
    }
    class Guarded {
      secret(): string {
        return 'for visitors'
      }
    }
    method(Guarded, 'secret', [Get('secret'), UseGuards(new Visitors())])
    Controller()(Guarded)
    const module = SessionModule.forRootAsync({
      imports: [Config],
      inject: [CONFIG],
      useFactory: (configured: Sessions<never>) => ({ sessions: configured }),
    })
    const ann = new Browser(await serve([module], Pages, Guarded))
    expect((await ann.get('/app/secret')).status).toBe(403)
    await ann.get('/app/visit')
    expect((await ann.get('/app/secret')).body).toBe('for visitors')
  })

  it('takes sessions of two kinds side by side', async () => {
    const visitors = createSessions<Data>(inDevelopment)
    const admins = createSessions<Admin>({ cookie: { ...inDevelopment.cookie, name: 'admin' } })
    class Both {
      both(visitor: LiveSession<Data>, admin: LiveSession<Admin>): string {
        const n = visitor.update('n', (n = 0) => n + 1)
        return `${n} ${admin.update('level', (level = 10) => level + 1)}`
      }
    }
    method(
      Both,
      'both',
      [Get('both')],
      [Session(visitors) as ParameterDecorator, Session(admins) as ParameterDecorator],
    )
    Controller()(Both)
    const imports = [visitors, admins].map((sessions) => SessionModule.forRoot({ sessions } as never))
    const ann = new Browser(await serve(imports, Both))
    expect((await ann.get('/app/both')).body).toBe('1 11')
    expect((await ann.get('/app/both')).body).toBe('2 12')
  })
})

it('tells what is wrong when it is set up', () => {
  expect(() => SessionModule.forRoot({ sessions: {} as never })).toThrow(/SessionModule.forRoot/)
  expect(() => SessionModule.forRoot({ session: createSessions() } as never)).toThrow(/"session"/)
  expect(() => SessionModule.forRootAsync({ useFactory: 1 as never })).toThrow(
    '"useFactory" must be a function',
  )
  expect(() => Session({} as never)).toThrow(/@Session/)
  expect(typeof SESSIONS).toBe('symbol')
})
