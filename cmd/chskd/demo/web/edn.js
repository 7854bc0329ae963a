// The subset of edn that a chat needs, and a little more: a reader and a writer.
//
// nil true false numbers strings chars keywords symbols lists vectors maps sets #inst #uuid, with
// commas as white space, `;` comments and `#_` discards. As in ClojureScript, chars are read as
// strings, and ratios, big integers and big decimals as numbers. Unknown tags are errors.

/** A keyword. `kw` interns, so two keywords of one name are the same object. */
export class Keyword {
  /** @param {string} name with its namespace, without the colon */
  constructor(name) {
    this.name = name;
  }
  toString() {
    return ':' + this.name;
  }
}

/** A symbol; not interned. */
export class Sym {
  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }
}

/** @type {Map<string, Keyword>} */
const keywords = new Map();

/** The keyword of that name. @param {string} name @returns {Keyword} */
export function kw(name) {
  let k = keywords.get(name);
  if (!k) keywords.set(name, (k = new Keyword(name)));
  return k;
}

const SPACE = /[\s,]/;
const DELIMITER = /[\s,()[\]{}";]/;
const NUMBER = /^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?[NM]?$/;
const CHARS = {
  newline: '\n', space: ' ', tab: '\t', return: '\r', formfeed: '\f', backspace: '\b',
};
const ESCAPES = { n: '\n', t: '\t', r: '\r', f: '\f', b: '\b', '"': '"', '\\': '\\' };
const SYMBOLIC = { Inf: Infinity, '-Inf': -Infinity, NaN: NaN };

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  fail(what) {
    throw new SyntaxError(`edn: ${what} at ${this.at}`);
  }

  /** Skips white space, comments and discarded forms. */
  skip() {
    for (;;) {
      while (this.at < this.text.length && SPACE.test(this.text[this.at])) this.at++;
      if (this.text[this.at] === ';') {
        while (this.at < this.text.length && this.text[this.at] !== '\n') this.at++;
      } else if (this.text.startsWith('#_', this.at)) {
        this.at += 2;
        this.value();
      } else {
        return;
      }
    }
  }

  value() {
    this.skip();
    const c = this.text[this.at];
    switch (c) {
      case undefined: return this.fail('unexpected end');
      case '[': return this.sequence(']');
      case '(': return this.sequence(')');
      case '{': return this.map('');
      case '"': return this.string();
      case '\\': return this.char();
      case '#': return this.dispatch();
      case ']': case ')': case '}': return this.fail(`unexpected ${c}`);
      default: return this.atom();
    }
  }

  /** The elements up to the closing delimiter; the opening one is at the cursor. */
  sequence(close) {
    const items = [];
    for (this.at++, this.skip(); this.text[this.at] !== close; this.skip()) {
      items.push(this.value());
    }
    this.at++;
    return items;
  }

  /** A map; ns is the namespace of `#:ns{}` for keyword keys that have none. */
  map(ns) {
    const items = this.sequence('}');
    if (items.length % 2) this.fail('map with a key but no value');
    const m = new Map();
    for (let i = 0; i < items.length; i += 2) m.set(qualify(ns, items[i]), items[i + 1]);
    return m;
  }

  string() {
    let out = '';
    for (let c = this.text[++this.at]; c !== '"'; c = this.text[this.at]) {
      if (c === undefined) this.fail('unclosed string');
      out += c === '\\' ? this.escape() : c;
      this.at++;
    }
    this.at++;
    return out;
  }

  /** One escape of a string; leaves the cursor on its last character. */
  escape() {
    const c = this.text[++this.at];
    if (c in ESCAPES) return ESCAPES[c];
    const code = this.text.slice(this.at, this.at + 5);
    const m = /^(?:u([0-9a-fA-F]{4})|([0-3]?[0-7]{1,2}))/.exec(code);
    if (!m) this.fail(`bad escape \\${c}`);
    this.at += m[0].length - 1;
    return String.fromCharCode(m[1] ? parseInt(m[1], 16) : parseInt(m[2], 8));
  }

  char() {
    const first = String.fromCodePoint(this.text.codePointAt(this.at + 1) ?? this.fail('bad char'));
    this.at += 1 + first.length;
    const name = first + (DELIMITER.test(first) ? '' : this.token());
    if (name === first) return first;
    if (name in CHARS) return CHARS[name];
    const m = /^u([0-9a-fA-F]{4})$/.exec(name);
    return m ? String.fromCharCode(parseInt(m[1], 16)) : this.fail(`bad char \\${name}`);
  }

  dispatch() {
    const next = this.text[++this.at];
    if (next === '{') return new Set(this.sequence('}'));
    if (next === '#') {
      this.at++;
      const name = this.token();
      return name in SYMBOLIC ? SYMBOLIC[name] : this.fail(`bad ##${name}`);
    }
    if (next === ':') {
      this.at++;
      const ns = this.token();
      this.skip();
      return this.text[this.at] === '{' ? this.map(ns) : this.fail('namespace without a map');
    }
    return this.tagged(this.token());
  }

  tagged(tag) {
    const v = this.value();
    if (tag === 'uuid' && typeof v === 'string') return v;
    if (tag === 'inst' && typeof v === 'string') return new Date(v.replace(/-00:00$/, 'Z'));
    return this.fail(`unknown tag #${tag}`);
  }

  /** The characters up to the next delimiter. */
  token() {
    const start = this.at;
    while (this.at < this.text.length && !DELIMITER.test(this.text[this.at])) this.at++;
    return this.text.slice(start, this.at);
  }

  atom() {
    const t = this.token();
    if (t === 'nil') return null;
    if (t === 'true') return true;
    if (t === 'false') return false;
    if (t[0] === ':') return t.length > 1 ? kw(t.slice(1)) : this.fail('empty keyword');
    if (NUMBER.test(t)) return Number(t.replace(/[NM]$/, ''));
    const ratio = /^([+-]?\d+)\/(\d+)$/.exec(t);
    if (ratio) return Number(ratio[1]) / Number(ratio[2]);
    return /^[+-]?\d/.test(t) ? this.fail(`bad number ${t}`) : new Sym(t);
  }
}

function qualify(ns, key) {
  if (!ns || !(key instanceof Keyword)) return key;
  if (key.name.startsWith('_/')) return kw(key.name.slice(2));
  return key.name.includes('/') ? key : kw(`${ns}/${key.name}`);
}

/**
 * Reads the first form of the text: vectors and lists as arrays, maps as Map, sets as Set,
 * keywords as Keyword. The empty text is nil, as for Clojure's reader. Throws SyntaxError.
 * @param {string} text
 */
export function read(text) {
  const r = new Reader(text);
  r.skip();
  return r.at >= text.length ? null : r.value();
}

/**
 * Writes a value: arrays as vectors, Map and plain objects as maps (an object's keys as keywords),
 * null and undefined as nil. Throws TypeError for what edn has no form for.
 * @returns {string}
 */
export function write(v) {
  if (v === null || v === undefined) return 'nil';
  switch (typeof v) {
    case 'boolean': return String(v);
    case 'number': return writeNumber(v);
    case 'bigint': return `${v}N`;
    case 'string': return writeString(v);
    case 'object': return writeObject(v);
    default: throw new TypeError(`edn: cannot write a ${typeof v}`);
  }
}

function writeNumber(n) {
  if (Number.isNaN(n)) return '##NaN';
  if (!Number.isFinite(n)) return n > 0 ? '##Inf' : '##-Inf';
  return String(n);
}

function writeString(s) {
  const named = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\f': '\\f', '\b': '\\b' };
  return `"${s.replace(/["\\]/g, '\\$&').replace(/[\n\t\r\f\b]/g, (c) => named[c])}"`;
}

function writeObject(v) {
  if (v instanceof Keyword) return ':' + v.name;
  if (v instanceof Sym) return v.name;
  if (v instanceof Date) return `#inst "${v.toISOString().replace('Z', '-00:00')}"`;
  if (Array.isArray(v)) return `[${v.map(write).join(' ')}]`;
  if (v instanceof Set) return `#{${[...v].map(write).join(' ')}}`;
  const entries = v instanceof Map ? [...v] : Object.entries(v).map(([k, x]) => [kw(k), x]);
  return `{${entries.map(([k, x]) => `${write(k)} ${write(x)}`).join(', ')}}`;
}

/**
 * A value without edn's own types: Map becomes an object, keywords and symbols their names, sets
 * arrays. For reading; `write` does not lead back.
 */
export function plain(v) {
  if (v instanceof Keyword || v instanceof Sym) return v.name;
  if (Array.isArray(v) || v instanceof Set) return [...v].map(plain);
  if (v instanceof Map) return Object.fromEntries([...v].map(([k, x]) => [plain(k), plain(x)]));
  return v;
}
