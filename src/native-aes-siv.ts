/** What is used of Node's ciphers. */
interface BlockCipher {
  setAutoPadding(pads: boolean): this
  update(blocks: Uint8Array): Uint8Array
}

/** What is used of Node: its ciphers, and memory out of a pool, which is a fifth of the price of memory of its own. */
export interface Platform {
  createCipheriv: CreateCipher
  allocate(bytes: number): Uint8Array
}

/** Node's `createCipheriv`, as far as it is used. */
type CreateCipher = (
  mode: 'aes-256-cbc' | 'aes-256-ecb',
  key: Uint8Array,
  iv: Uint8Array | null,
) => BlockCipher

const BLOCK = 16
const HALF_KEY = 32
// Most sessions fit in. Shared by all, since nothing waits between its use and the next one.
const scratch = new Uint8Array(4096)
const scratchView = new DataView(scratch.buffer)

/**
 * AES-SIV (RFC 5297) by two ciphers of Node that are made once for the key: to make one for each message costs more than all
 * that it does. CBC gives the authentication (CMAC, RFC 4493) and ECB the key stream of the counter mode.
 */
export class NativeAesSiv {
  readonly #allocate: Platform['allocate']
  readonly #cbc: BlockCipher
  readonly #ecb: BlockCipher
  /** What CBC adds to its next block: the last one that it gave. */
  readonly #chained = new Uint8Array(BLOCK)
  /** The keys of CMAC for a last block that is whole, and for one that is padded. */
  readonly #whole: Uint8Array
  readonly #padded: Uint8Array
  /** What S2V adds to a text: what it makes of the associated data. */
  readonly #added: Uint8Array
  readonly #addedToShort: Uint8Array

  constructor({ createCipheriv: create, allocate }: Platform, key: Uint8Array, associated: Uint8Array) {
    this.#allocate = allocate
    const [macKey, textKey] = [key.subarray(0, HALF_KEY), key.subarray(HALF_KEY)]
    // All blocks are whole here: none waits for the end, which does not come.
    this.#cbc = create('aes-256-cbc', macKey, new Uint8Array(BLOCK)).setAutoPadding(false)
    this.#ecb = create('aes-256-ecb', textKey, null).setAutoPadding(false)
    const ofZero = create('aes-256-ecb', macKey, null).setAutoPadding(false).update(new Uint8Array(BLOCK))
    this.#whole = doubled(ofZero)
    this.#padded = doubled(this.#whole)
    const cmac = (text: Uint8Array): Uint8Array => {
      const bytes = roomFor(text.length)
      bytes.set(text)
      return this.#cmacOf(bytes, text.length)
    }
    this.#added = doubled(cmac(new Uint8Array(BLOCK)))
    add(this.#added, cmac(associated), 0)
    this.#addedToShort = doubled(this.#added)
  }

  seal(text: Uint8Array): Uint8Array {
    const iv = this.#ivOf(text)
    const sealed = this.#allocate(BLOCK + text.length)
    sealed.set(iv)
    this.#crypt(iv, text, sealed, BLOCK)
    return sealed
  }

  open(sealed: Uint8Array): Uint8Array {
    if (sealed.length < BLOCK) throw broken()
    const iv = sealed.subarray(0, BLOCK)
    const text = this.#allocate(sealed.length - BLOCK)
    this.#crypt(iv, sealed.subarray(BLOCK), text, 0)
    const own = this.#ivOf(text)
    let difference = 0
    // In a time that does not tell where they differ.
    for (let i = 0; i < BLOCK; i++) difference |= at(iv, i) ^ at(own, i)
    if (difference !== 0) throw broken()
    return text
  }

  /** S2V of the associated data and the text (section 2.4): what authenticates both, and begins the key stream. */
  #ivOf(text: Uint8Array): Uint8Array {
    const { length } = text
    const bytes = roomFor(length)
    bytes.set(text)
    if (length >= BLOCK) {
      add(bytes, this.#added, length - BLOCK)
      return this.#cmacOf(bytes, length)
    }
    pad(bytes, length)
    add(bytes, this.#addedToShort, 0)
    return this.#cmacOf(bytes, BLOCK)
  }

  /** CMAC of the first so many bytes, which it overwrites. */
  #cmacOf(bytes: Uint8Array, length: number): Uint8Array {
    const end = wholeBlocks(length)
    if (length < end || length === 0) pad(bytes, length)
    add(bytes, length === end ? this.#whole : this.#padded, end - BLOCK)
    // CBC goes on from what it gave last; that twice is nothing, as at a beginning.
    add(bytes, this.#chained, 0)
    const last = this.#cbc.update(bytes.subarray(0, end)).subarray(end - BLOCK, end)
    this.#chained.set(last)
    return last
  }

  /** Adds the key stream (section 2.5): the same encrypts and decrypts. */
  #crypt(iv: Uint8Array, from: Uint8Array, to: Uint8Array, start: number): void {
    const { length } = from
    const counters = roomFor(length).subarray(0, wholeBlocks(length))
    const view = counters.buffer === scratch.buffer ? scratchView : new DataView(counters.buffer)
    const [a, b, c, d] = [word(iv, 0), word(iv, 4), word(iv, 8) & 0x7fffffff, word(iv, 12) & 0x7fffffff]
    for (let i = 0; i < counters.length; i += BLOCK) {
      view.setInt32(i, a)
      view.setInt32(i + 4, b)
      view.setInt32(i + 8, c)
      // It begins with a bit of 0, so it never runs over.
      view.setInt32(i + 12, d + i / BLOCK)
    }
    to.set(from, start)
    addAll(to.subarray(start), this.#ecb.update(counters), length)
  }
}

/** Adds so many bytes, four at once where they lie so. */
function addAll(to: Uint8Array, stream: Uint8Array, length: number): void {
  const words = (to.byteOffset | stream.byteOffset) % 4 === 0 ? length >> 2 : 0
  const four = new Int32Array(to.buffer, words && to.byteOffset, words)
  const others = new Int32Array(stream.buffer, words && stream.byteOffset, words)
  for (let i = 0; i < words; i++) four[i] = (four[i] ?? 0) ^ (others[i] ?? 0)
  for (let i = words * 4; i < length; i++) to[i] = at(to, i) ^ at(stream, i)
}

/** The length of the blocks that hold so many bytes, one at the least. */
function wholeBlocks(length: number): number {
  return Math.max(BLOCK, (length + BLOCK - 1) & -BLOCK)
}

function roomFor(length: number): Uint8Array {
  const needed = wholeBlocks(length)
  return needed <= scratch.length ? scratch : new Uint8Array(needed)
}

/** Fills the last block behind so many bytes. */
function pad(bytes: Uint8Array, length: number): void {
  bytes[length] = 0x80
  bytes.fill(0, length + 1, wholeBlocks(length))
}

/** Adds a block to the bytes, bit by bit, from there on. */
function add(bytes: Uint8Array, block: Uint8Array, start: number): void {
  for (let i = 0; i < BLOCK; i++) bytes[start + i] = at(bytes, start + i) ^ at(block, i)
}

/** Twice the block, as an element of the field of 2^128 elements (section 2.3). */
function doubled(block: Uint8Array): Uint8Array {
  const carry = at(block, 0) >> 7
  return Uint8Array.from({ length: BLOCK }, (_, i) => {
    const shifted = (at(block, i) << 1) | (at(block, i + 1) >> 7)
    return i === BLOCK - 1 ? shifted ^ (carry * 0x87) : shifted
  })
}

function word(bytes: Uint8Array, i: number): number {
  return (at(bytes, i) << 24) | (at(bytes, i + 1) << 16) | (at(bytes, i + 2) << 8) | at(bytes, i + 3)
}

function at(bytes: Uint8Array, i: number): number {
  return bytes[i] ?? 0
}

function broken(): Error {
  return new Error('The seal is broken')
}
