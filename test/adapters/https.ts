import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import type { ServedSite } from '../../src/testing/adapter-site.ts'
import { close, originOf } from './serve.ts'

/** Serves over TLS on a free port, for clients in this process: they trust its certificate. */
export async function listenHttps(handler: RequestListener): Promise<ServedSite> {
  const server = createServer(trustedCertificate(), handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { origin: originOf(server).replace('http:', 'https:'), close: () => close(server) }
}

let made: { key: string; cert: string } | undefined

/** A key and a certificate of `localhost`, which the clients of this process trust from now on. */
function trustedCertificate(): { key: string; cert: string } {
  if (!made) {
    made = selfSigned()
    setDefaultCACertificates([...getCACertificates('default'), made.cert])
  }
  return made
}

const [INTEGER, BITS, BYTES, UTF8, TIME, SEQUENCE, SET] = [0x02, 0x03, 0x04, 0x0c, 0x18, 0x30, 0x31]
/** Identifiers of X.509, encoded. */
const OID = {
  ecdsaWithSha256: hex('06082a8648ce3d040302'),
  commonName: hex('0603550403'),
  subjectAltName: hex('0603551d11'),
}

/** Node makes keys but no certificates, and not every machine has a program that does: RFC 5280, section 4.1. */
function selfSigned(): { key: string; cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(SEQUENCE, OID.ecdsaWithSha256)
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, OID.commonName, der(UTF8, Buffer.from('localhost')))))
  const life = ['20200101000000Z', '20991231000000Z'].map((instant) => der(TIME, Buffer.from(instant)))
  const names = der(SEQUENCE, der(0x82, Buffer.from('localhost')))
  const extension = der(SEQUENCE, OID.subjectAltName, der(BYTES, names))
  const content = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, Buffer.from([1])),
    algorithm,
    name,
    der(SEQUENCE, ...life),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, extension)),
  )
  const signature = der(BITS, Buffer.from([0]), sign('sha256', content, privateKey))
  const base64 = der(SEQUENCE, content, algorithm, signature).toString('base64')
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
  }
}

/** A value of ASN.1, in the encoding of certificates. */
function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 128 ? [length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function hex(bytes: string): Buffer {
  return Buffer.from(bytes, 'hex')
}
