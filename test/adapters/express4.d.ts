// Installed beside Express 5 under another name, so its own types are those of Express 5: what is used here is the same.
declare module 'express4' {
  export { default } from 'express'
}
