/** What is used here of the modules of Cloudflare's runtime. */
declare module 'cloudflare:workers' {
  export class WorkerEntrypoint<Env = unknown> {
    protected readonly env: Env
    protected readonly ctx: { waitUntil(work: Promise<unknown>): void }
    fetch(request: Request): Response | Promise<Response>
  }
  export const env: unknown
}
