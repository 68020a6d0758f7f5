// It brings no types.
declare module 'dynalite' {
  import type { Server } from 'node:http'

  function dynalite(options: { createTableMs: number; deleteTableMs: number }): Server

  // biome-ignore lint/style/noDefaultExport: as it is
  export { dynalite as default }
}
