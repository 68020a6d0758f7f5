import type { IncomingMessage, ServerResponse } from 'node:http'
import { known } from '../check-options.ts'
import type { Session as LiveSession } from '../session.ts'
import type { Sessions } from '../sessions.ts'
import { checkSessions } from './adapter-options.ts'
import { expressSession } from './express.ts'
import { type FastifyInstance, fastifySession } from './fastify.ts'

/** What {@link SessionModule} serves. */
export interface SessionModuleOptions<Data extends object = Record<string, unknown>> {
  /** What `createSessions` answers. */
  sessions: Sessions<Data>
}

/** How {@link SessionModule} finds what it serves, as Nest's own providers do. */
export interface SessionModuleAsyncOptions<
  Args extends unknown[] = unknown[],
  Data extends object = Record<string, unknown>,
> {
  /** Modules whose providers the factory is given. @defaultValue none */
  // biome-ignore lint/suspicious/noExplicitAny: what Nest takes for a module is of many shapes
  imports?: any[]
  /** The tokens of what the factory is called with. @defaultValue none */
  // biome-ignore lint/suspicious/noExplicitAny: what Nest takes for a token is of many shapes
  inject?: any[]
  /** Answers the options of `forRoot`, or a promise for them. */
  useFactory: (...args: Args) => SessionModuleOptions<Data> | Promise<SessionModuleOptions<Data>>
}

/** A module that Nest is given at run time: its `DynamicModule`, as far as it is used here. */
export interface NestModule {
  module: new () => object
  global: true
  // biome-ignore lint/suspicious/noExplicitAny: see SessionModuleAsyncOptions
  imports: any[]
  // biome-ignore lint/suspicious/noExplicitAny: see SessionModuleAsyncOptions
  providers: { provide: symbol; useFactory: (...args: any[]) => unknown; inject: any[] }[]
  exports: symbol[]
}

/** The token under which {@link SessionModule} provides its sessions: `@Inject(SESSIONS) sessions: Sessions<Data>`. */
export const SESSIONS: unique symbol = Symbol('sojourn sessions')

/** What is used of what Nest gives to `configure`. */
interface MiddlewareConsumer {
  getHttpAdapter(): {
    getType(): string
    getInstance(): unknown
    use(middleware: (req: IncomingMessage, res: ServerResponse, next: () => void) => void): unknown
  }
}

/** What is used of Nest's `ExecutionContext`. */
interface ExecutionContext {
  switchToHttp(): { getRequest(): object }
}

/** Where a request says whose session `@Session()` gives: one property for all copies of this module. */
const OF_REQUEST = Symbol.for('sojourn nest sessions')

interface ServedRequest {
  [OF_REQUEST]?: Sessions<never>
}

/**
 * Sessions for NestJS, on Express and on Fastify: a module of the application. What a handler changes is saved before the
 * first byte of its answer leaves; when that fails, the error goes to the exception filters.
 */
// biome-ignore lint/complexity/noStaticOnlyClass: Nest's modules are made by static methods of this name
export class SessionModule {
  /**
   * The module for an application's `imports`. Import it once more for sessions of another kind.
   * @example
   * @Module({ imports: [SessionModule.forRoot({ sessions })] })
   * @throws TypeError when an argument is wrong.
   */
  static forRoot<Data extends object>(options: SessionModuleOptions<Data>): NestModule {
    checkOptions(options)
    return moduleOf({ useFactory: () => options })
  }

  /**
   * The module for an application's `imports`, when the sessions depend on its other providers.
   * @example
   * SessionModule.forRootAsync({
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({ sessions: sessionsFor(config) }),
   * })
   * @throws TypeError when an argument is wrong, or what the factory answers.
   */
  static forRootAsync<Args extends unknown[], Data extends object>(
    options: SessionModuleAsyncOptions<Args, Data>,
  ): NestModule {
    known(options, ['imports', 'inject', 'useFactory'], 'SessionModule.forRootAsync()')
    if (typeof options.useFactory !== 'function') throw new TypeError('"useFactory" must be a function')
    return moduleOf(options)
  }
}

function checkOptions(options: object): void {
  known(options, ['sessions'], 'SessionModule.forRoot()')
  checkSessions('sessions' in options ? options.sessions : undefined, 'SessionModule.forRoot')
}

function moduleOf<Args extends unknown[], Data extends object>({
  imports = [],
  inject = [],
  useFactory,
}: SessionModuleAsyncOptions<Args, Data>): NestModule {
  let sessions: Sessions<never>
  // A class of its own for each call: Nest tells modules apart by their classes.
  class ConfiguredSessionModule {
    /** Called by Nest once all providers are there, before it sets up the application's own middleware and routes. */
    configure(consumer: MiddlewareConsumer): void {
      install(sessions, consumer)
    }
  }
  const provider = {
    provide: SESSIONS,
    inject,
    useFactory: async (...args: Args) => {
      const options = await useFactory(...args)
      checkOptions(options)
      sessions = options.sessions as unknown as Sessions<never>
      return sessions
    },
  }
  return {
    module: ConfiguredSessionModule,
    global: true,
    imports,
    providers: [provider as NestModule['providers'][number]],
    exports: [SESSIONS],
  }
}

function install(sessions: Sessions<never>, consumer: MiddlewareConsumer): void {
  const adapter = consumer.getHttpAdapter()
  const mark = (request: ServedRequest): void => {
    request[OF_REQUEST] ??= sessions
  }
  const type = adapter.getType()
  if (type === 'express') {
    const middleware = expressSession(sessions)
    adapter.use((req, res, next) => {
      mark(req as ServedRequest)
      middleware(req, res, next)
    })
    return
  }
  if (type !== 'fastify') {
    throw new TypeError(`SessionModule runs on Express and on Fastify, not on "${type}"`)
  }
  const fastify = adapter.getInstance() as FastifyInstance
  // Called rather than registered: Fastify would run it after Nest has set up its routes.
  fastifySession(sessions)(fastify, {}, () => undefined)
  fastify.addHook('onRequest', (request, _reply, done) => {
    mark(request as ServedRequest)
    done()
  })
}

/** The session that `@Session()` gives: the type has the name of the decorator, so that one import brings both. */
export type Session<Data extends object = Record<string, unknown>> = LiveSession<Data>

/** Decorates a parameter of a handler. */
export type ParameterOf = (target: object, key: string | symbol | undefined, index: number) => void

/** Decorates a parameter of a handler that can take a session with that data. */
export type SessionParameter<Data extends object> = <
  Target extends object,
  Key extends keyof Target,
  Index extends number,
>(
  target: Target,
  key: Key,
  index: Taking<Target[Key], Index, LiveSession<Data>>,
) => void

type Taking<Method, Index extends number, Value> = Method extends (...args: infer Args) => unknown
  ? Value extends Args[Index]
    ? Index
    : never
  : never

/**
 * Gives a handler the live session of its request, loaded when the handler is about to run: `@Session() session: Session<Data>`.
 * Handlers without it cost no store call.
 * @param sessions - Which ones, where there are several kinds; the compiler then checks the type of the parameter, too.
 * @defaultValue those of the {@link SessionModule} that was imported first
 * @throws TypeError when the argument is wrong, or `reflect-metadata` was not loaded, which Nest itself needs.
 */
// biome-ignore lint/suspicious/noRedeclare: the type of that name is what it decorates
export function Session(): ParameterOf
// biome-ignore lint/suspicious/noRedeclare: see above
export function Session<Data extends object>(sessions: Sessions<Data>): SessionParameter<Data>
// biome-ignore lint/suspicious/noExplicitAny: the overloads above say what callers see
export function Session(sessions?: Sessions<any>): any {
  if (sessions !== undefined) checkSessions(sessions, '@Session')
  const factory = (_data: unknown, context: ExecutionContext): Promise<unknown> => {
    const request = context.switchToHttp().getRequest()
    const those: { of(request: object): Promise<unknown> } | undefined =
      sessions ?? (request as ServedRequest)[OF_REQUEST]
    if (!those) throw new TypeError('@Session() needs SessionModule.forRoot() among the imports of the app')
    return those.of(request)
  }
  const decorator: ParameterOf = (target, key, index) => decorate(target, key, index, factory)
  return decorator
}

/** What `createParamDecorator` of @nestjs/common does, which an adapter does not import. */
function decorate(target: object, key: string | symbol | undefined, index: number, factory: unknown): void {
  const { defineMetadata, getMetadata } = Reflect as unknown as Record<string, Metadata | undefined>
  if (!defineMetadata || !getMetadata) {
    throw new TypeError("@Session() needs reflect-metadata: import '@nestjs/common' before it")
  }
  const routeArguments = '__routeArguments__'
  const present = Object.entries(getMetadata(routeArguments, target.constructor, key) ?? {})
  // A method that overrides another one begins with its decorators; here this one takes their place.
  const others = Object.fromEntries(present.filter(([, argument]) => argument.index !== index))
  // The name in front is anything that no other decorator has on this parameter.
  const added = { [`sojourn__customRouteArgs__:${index}`]: { index, factory, data: undefined, pipes: [] } }
  defineMetadata(routeArguments, { ...others, ...added }, target.constructor, key)
}

type Metadata = (...args: unknown[]) => unknown
