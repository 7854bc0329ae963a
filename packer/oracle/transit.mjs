// transit-js, Cognitect's own library for JavaScript, behind a pipe.
//
//   tree     reads transit and gives its tree
//   transit  builds the value of a tree and writes it, with the cache
//   verbose  the same in transit's verbose mode

import transit from 'transit-js';
import { branch, escaped, fromBits, leaf, number, parse } from './tree.mjs';
import { serve } from './serve.mjs';

// Maps and sets by transit's own equality, lists and unknown tags as they are.
const reader = transit.reader('json', { preferStrings: false, preferBuffers: true });
const writer = transit.writer('json');
const verbose = transit.writer('json-verbose');

function tagged(x) {
  switch (x.tag) {
    case 'n': return leaf('i', x.rep);
    case 'f': return leaf('m', x.rep);
    case 'r': return leaf('uri', x.rep);
    case 'list': return branch('l', x.rep.map(tree));
    case 'ratio': return leaf('r', `${x.rep[0].rep}/${x.rep[1].rep}`);
  }
  return branch('tag', [leaf('y', x.tag), tree(x.rep)]);
}

function tree(x) {
  switch (typeof x) {
    case 'boolean': return `(${x})`;
    case 'number': return number(x);
    case 'string': return leaf('s', x);
  }
  if (x === null) return '(nil)';
  if (Array.isArray(x)) return branch('v', x.map(tree));
  if (transit.isKeyword(x)) return leaf('k', x.toString().slice(1));
  if (transit.isSymbol(x)) return leaf('y', x.toString());
  if (transit.isUUID(x)) return leaf('u', x.toString());
  if (transit.isURI(x)) return leaf('uri', x.rep);
  if (transit.isInteger(x)) return leaf('i', x.toString());
  if (x instanceof Date) return leaf('t', x.getTime());
  if (x instanceof Uint8Array) return leaf('b', Buffer.from(x).toString('hex'));
  if (transit.isMap(x)) {
    const kids = [];
    x.forEach((v, k) => kids.push(tree(k), tree(v)));
    return branch('map', kids);
  }
  if (transit.isSet(x)) {
    const kids = [];
    x.forEach((v) => kids.push(tree(v)));
    return branch('set', kids);
  }
  if (transit.isTaggedValue(x)) return tagged(x);
  throw new Error(`no tree for ${escaped(String(x))}`);
}

const big = (text) => transit.tagged('n', text);

function integer(text) {
  const n = BigInt(text);
  if (n >= -(2n ** 63n) && n < 2n ** 63n) return transit.integer(text);
  return big(text);
}

const builders = {
  nil: () => null,
  true: () => true,
  false: () => false,
  i: (t) => integer(t),
  d: (t) => fromBits(t),
  m: (t) => transit.tagged('f', t),
  r: (t) => transit.tagged('ratio', t.split('/').map(big)),
  s: (t) => t,
  c: (t) => transit.tagged('c', t),
  k: (t) => transit.keyword(t),
  y: (t) => transit.symbol(t),
  u: (t) => transit.uuid(t),
  t: (t) => new Date(Number(t)),
  uri: (t) => transit.uri(t),
  b: (t) => transit.binary(Buffer.from(t, 'hex').toString('base64')),
  v: (_, kids) => kids,
  l: (_, kids) => transit.list(kids),
  set: (_, kids) => transit.set(kids),
  map: (_, kids) => transit.map(kids),
};

function value({ kind, text, kids }) {
  if (kind === 'tag') return transit.tagged(kids[0].text, value(kids[1]));
  return builders[kind](text, kids.map(value));
}

serve((op, bytes) => {
  switch (op) {
    case 'tree': return tree(reader.read(bytes.toString()));
    case 'transit': return writer.write(value(parse(bytes.toString())));
    case 'verbose': return verbose.write(value(parse(bytes.toString())));
  }
  throw new Error(`no such op: ${op}`);
});
