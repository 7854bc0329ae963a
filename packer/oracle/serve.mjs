// One question a line, `op base64`, one answer a line, `ok base64` or `no base64` with the reason.

import { createInterface } from 'node:readline';

// serve answers until stdin ends. answer(op, bytes) returns bytes or a string, or throws.
export function serve(answer) {
  createInterface({ input: process.stdin }).on('line', (line) => {
    const space = line.indexOf(' ');
    let word = 'ok';
    let out;
    try {
      out = Buffer.from(answer(line.slice(0, space), Buffer.from(line.slice(space + 1), 'base64')));
    } catch (e) {
      word = 'no';
      out = Buffer.from(String(e));
    }
    process.stdout.write(`${word} ${out.toString('base64')}\n`);
  });
}
