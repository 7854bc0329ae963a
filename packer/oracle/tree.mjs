// Trees in the notation of tree_test.go: (kind text) for leaves, (kind tree ...) for the rest.

const plain = /^[!-~]$/;

// escaped writes text so that it holds no space, parenthesis, backslash or character beyond ASCII.
export function escaped(text) {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    out += plain.test(c) && c !== '(' && c !== ')' && c !== '\\'
      ? c : '\\u' + text.charCodeAt(i).toString(16).padStart(4, '0');
  }
  return out;
}

export const leaf = (kind, text) => `(${kind} ${escaped(String(text))})`;
export const branch = (kind, kids) => `(${[kind, ...kids].join(' ')})`;

// number is the tree of a JavaScript number, which does not tell 2.0 from 2.
export function number(x) {
  if (Number.isSafeInteger(x) && !Object.is(x, -0)) return leaf('i', x);
  return leaf('d', bits(x));
}

function bits(x) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const n = view.getBigUint64(0);
  return (Number.isNaN(x) ? 0x7ff8000000000000n : n).toString(16).padStart(16, '0');
}

export function fromBits(hex) {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt('0x' + hex));
  return view.getFloat64(0);
}

// parse reads a tree into {kind, text} and {kind, kids}.
export function parse(s) {
  let i = 0;
  function node() {
    i++;
    const start = i;
    while (s[i] !== ' ' && s[i] !== ')') i++;
    const at = { kind: s.slice(start, i), text: '', kids: [] };
    while (s[i] === ' ') {
      i++;
      if (s[i] === '(') {
        at.kids.push(node());
      } else {
        const from = i;
        while (s[i] !== ')') i++;
        at.text = s.slice(from, i).replace(/\\u(....)/g,
          (_, hex) => String.fromCharCode(parseInt(hex, 16)));
      }
    }
    i++;
    return at;
  }
  return node();
}
