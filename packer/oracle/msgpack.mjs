// @msgpack/msgpack behind a pipe, with the extension types as taoensso.msgpack has them.
//
//   tree      reads msgpack and gives its tree; cached keys are looked up
//   msgpack   writes the value of a tree, with the key cache
//   uncached  the same, every key literal
//   narrow    the same as msgpack, with every double that allows it in 32 bits
//   encode    the library alone: JSON to msgpack
//   decode    the library alone: msgpack to JSON

import { Decoder, Encoder, ExtData, ExtensionCodec, decode, encode } from '@msgpack/msgpack';
import { branch, fromBits, leaf, number, parse } from './tree.mjs';
import { serve } from './serve.mjs';

const utf8 = new TextDecoder();

// Ext types. A cached key stands for the key that took its index.
const KEYWORD = 0, SYMBOL = 1, CHAR = 2, RATIO = 3, SET = 4, CACHED = 8, UUID = 9, INST = -1;
const cacheMax = 256;

// A Tree is what has become a tree already; every other decoded value is a plain one.
class Tree {
  constructor(text, cachable = false) {
    this.text = text;
    this.cachable = cachable;
  }
}
class Cached {
  constructor(index) {
    this.index = index;
  }
}

let keys = []; // the keys that took an index in the message that is being read

// mapKey turns a key into the name of a property: its tree. It is called between key and value,
// in the order of the bytes, which is the order of the indexes.
function mapKey(key) {
  if (key instanceof Cached) {
    if (key.index >= keys.length) throw new Error(`no key ${key.index}`);
    return keys[key.index];
  }
  const text = tree(key);
  if ((typeof key === 'string' || key?.cachable) && keys.length < cacheMax) keys.push(text);
  return text;
}

const codec = new ExtensionCodec();
const options = { extensionCodec: codec, mapKeyConverter: mapKey, useBigInt64: true };
const read = (bytes) => new Decoder(options).decode(bytes);

function ext(type, decode) {
  codec.register({ type, encode: () => null, decode });
}
ext(KEYWORD, (b) => new Tree(leaf('k', utf8.decode(b)), true));
ext(SYMBOL, (b) => new Tree(leaf('y', utf8.decode(b))));
ext(CHAR, (b) => new Tree(leaf('c', utf8.decode(b))));
ext(RATIO, (b) => new Tree(leaf('r', [...new Decoder(options).decodeMulti(b)].join('/'))));
ext(SET, (b) => new Tree(branch('set', read(b).map(tree))));
ext(CACHED, (b) => new Cached(b[0]));
ext(UUID, (b) => new Tree(leaf('u', utf8.decode(b))));
ext(INST, (b) => {
  const view = new DataView(b.buffer, b.byteOffset, b.byteLength);
  const millis = BigInt(Math.floor(view.getUint32(0) / 1e6));
  return new Tree(leaf('t', view.getBigInt64(4) * 1000n + millis));
});

function tree(x) {
  switch (typeof x) {
    case 'boolean': return `(${x})`;
    case 'number': return number(x);
    case 'bigint': return leaf('i', x);
    case 'string': return leaf('s', x);
  }
  if (x === null) return '(nil)';
  if (x instanceof Tree) return x.text;
  if (Array.isArray(x)) return branch('v', x.map(tree));
  if (x instanceof Uint8Array) return leaf('b', Buffer.from(x).toString('hex'));
  if (x instanceof ExtData) {
    const data = leaf('b', Buffer.from(x.data).toString('hex'));
    return branch('tag', [leaf('y', `msgpack/ext${x.type}`), data]);
  }
  if (x instanceof Cached) throw new Error('a cached key where no key is');
  return branch('map', Object.entries(x).flatMap(([k, v]) => [k, tree(v)]));
}

// TreeEncoder writes trees with the library's own kernels.
class TreeEncoder extends Encoder {
  constructor(cache, narrow) {
    super({ useBigInt64: false, forceFloat32: false });
    this.cache = cache; // key to index, or null
    this.narrow = narrow;
  }

  doEncode(x, depth) {
    if (x instanceof ExtData || x instanceof Uint8Array) {
      super.doEncode(x, depth);
      return;
    }
    const { kind, text, kids } = x;
    switch (kind) {
      case 'nil': return super.doEncode(null, depth);
      case 'true': return super.doEncode(true, depth);
      case 'false': return super.doEncode(false, depth);
      case 's': return super.doEncode(text, depth);
      case 'i': return this.integer(text);
      case 'd': return this.double(fromBits(text));
      case 'b': return super.doEncode(Buffer.from(text, 'hex'), depth);
      case 'v':
      case 'l': return this.array(kids, depth);
      case 'map': return this.map(kids, depth);
      case 'set': return this.ext(SET, this.inner((e) => e.array(kids, depth)));
      case 'k': return this.ext(KEYWORD, Buffer.from(text));
      case 'y': return this.ext(SYMBOL, Buffer.from(text));
      case 'c': return this.ext(CHAR, Buffer.from(text));
      case 'u': return this.ext(UUID, Buffer.from(text));
      case 'r': return this.ext(RATIO, this.inner((e) => text.split('/').map((n) => e.integer(n))));
      case 't': return this.ext(INST, inst(BigInt(text)));
    }
    throw new Error(`no form of ${kind} in msgpack`);
  }

  // inner is what write writes with an encoder of its own that shares the cache.
  inner(write) {
    const e = new TreeEncoder(this.cache, this.narrow);
    write(e);
    return e.bytes.slice(0, e.pos);
  }

  ext(type, data) {
    super.doEncode(new ExtData(type, data), 1);
  }

  integer(text) {
    const n = BigInt(text);
    const small = Number(n);
    if (n >= 2n ** 64n || n < -(2n ** 63n)) throw new Error('integer beyond 64 bits');
    if (Number.isSafeInteger(small)) super.encodeNumber(small);
    else super.encodeBigInt64(n);
  }

  double(x) {
    if (this.narrow && (Object.is(Math.fround(x), x))) {
      this.writeU8(0xca);
      this.writeF32(x);
    } else {
      this.writeU8(0xcb);
      this.writeF64(x);
    }
  }

  array(kids, depth) {
    this.header(kids.length, 0x90, 0xdc);
    for (const kid of kids) this.doEncode(kid, depth + 1);
  }

  map(kids, depth) {
    this.header(kids.length / 2, 0x80, 0xde);
    kids.forEach((kid, i) => (i % 2 ? this.doEncode(kid, depth + 1) : this.key(kid, depth + 1)));
  }

  // key writes a map key: the index that an equal one took, or itself.
  key(kid, depth) {
    const name = kid.kind + ' ' + kid.text;
    const cached = this.cache?.get(name);
    if (cached !== undefined) {
      this.ext(CACHED, Uint8Array.of(cached));
      return;
    }
    this.doEncode(kid, depth);
    if (this.cache && (kid.kind === 'k' || kid.kind === 's') && this.cache.size < cacheMax) {
      this.cache.set(name, this.cache.size);
    }
  }

  header(n, fix, wide) {
    if (n < 16) {
      this.writeU8(fix + n);
    } else if (n < 65536) {
      this.writeU8(wide);
      this.writeU16(n);
    } else {
      this.writeU8(wide + 1);
      this.writeU32(n);
    }
  }
}

function inst(ms) {
  const data = Buffer.alloc(12);
  const second = ms >= 0n ? ms / 1000n : -((999n - ms) / 1000n);
  data.writeUInt32BE(Number(ms - second * 1000n) * 1e6, 0);
  data.writeBigInt64BE(second, 4);
  return data;
}

function write(bytes, cache, narrow) {
  return new TreeEncoder(cache, narrow).encode(parse(bytes.toString()));
}

serve((op, bytes) => {
  switch (op) {
    case 'tree':
      keys = [];
      return tree(read(bytes));
    case 'msgpack': return write(bytes, new Map(), false);
    case 'uncached': return write(bytes, null, false);
    case 'narrow': return write(bytes, new Map(), true);
    case 'encode': return encode(JSON.parse(bytes.toString()));
    case 'decode': return JSON.stringify(decode(bytes));
  }
  throw new Error(`no such op: ${op}`);
});
