/** What the proxy says of the visitor's connection; `undefined` when it says nothing. */
export function isForwardedHttps(header: string | null | undefined): boolean | undefined {
  const [proto] = (header ?? '').split(',')
  return proto ? proto.trim().toLowerCase() === 'https' : undefined
}
