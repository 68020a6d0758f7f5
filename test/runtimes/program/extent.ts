/**
 * What is run: all there is; what takes a few seconds and differs from runtime to runtime; or of that the contracts alone,
 * for the page that says what was tested.
 */
export type Extent = 'all' | 'contracts' | 'usual'

/** Tests of the core that take seconds each, with what is the same arithmetic everywhere. They run when all is wanted. */
export const LONG: readonly string[] = ['lifetime', 'model']

/** Tests of the core that run under vitest alone, since they need its fake timers. */
export const VITEST_ONLY: readonly string[] = ['handshakes', 'sockets', 'turns']
