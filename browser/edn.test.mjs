// The page's edn reader and writer, without a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Keyword, Sym, kw, plain, read, write } from '../cmd/chskd/demo/web/edn.js';

const values = [
  ['nil', null],
  ['', null],
  ['true', true],
  ['-7', -7],
  ['1.5', 1.5],
  ['1e+100', 1e100],
  ['5N', 5],
  ['22/7', 22 / 7],
  ['##Inf', Infinity],
  ['"q\\" b\\\\ n\\n é \\u2603 \\101"', 'q" b\\ n\n é ☃ A'],
  ['\\a', 'a'],
  ['\\newline', '\n'],
  ['\\(', '('],
  ['\\u00e9', 'é'],
  [':a/b', kw('a/b')],
  ['sym', new Sym('sym')],
  ['[1, [2] ()]', [1, [2], []]],
  ['{:a 1, "b" nil}', new Map([[kw('a'), 1], ['b', null]])],
  ['#:foo{:a 1 :_/b 2 :c/d 3}', new Map([[kw('foo/a'), 1], [kw('b'), 2], [kw('c/d'), 3]])],
  ['#{1 2}', new Set([1, 2])],
  ['#inst "2024-01-02T03:04:05.678-00:00"', new Date('2024-01-02T03:04:05.678Z')],
  ['#uuid "550e8400-e29b-41d4-a716-446655440000"', '550e8400-e29b-41d4-a716-446655440000'],
  ['; note\n [1 #_ [2] 3] rest', [1, 3]],
];

for (const [text, value] of values) {
  test(`read ${JSON.stringify(text)}`, () => assert.deepEqual(read(text), value));
}

for (const text of ['[1', '{:a}', ')', '"x', '\\xyz', '#foo 1', ':', '1x', '##No']) {
  test(`refuse ${text}`, () => assert.throws(() => read(text), SyntaxError));
}

test('keywords of one name are one', () => {
  assert.equal(read(':a/b'), kw('a/b'));
  assert.ok(read(':a/b') instanceof Keyword);
});

test('what is written is read back', () => {
  const map = new Map([[kw('text'), 'a "b" \\ \n é 😀']]);
  const value = [kw('chat/send'), map, null, -1.5, new Set([true]), NaN, new Date(0), new Sym('s')];
  assert.deepEqual(read(write(value)), value);
  assert.equal(write({ text: 'x', n: 2 }), '{:text "x", :n 2}');
  assert.throws(() => write(() => 0), TypeError);
});

test('plain values', () => {
  assert.deepEqual(plain(read('{:users [{:uid "a", :ws true}], :kind :k/x}')),
    { users: [{ uid: 'a', ws: true }], kind: 'k/x' });
});
