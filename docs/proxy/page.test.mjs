// A page in Chromium behind each proxy, at its public name: a WebSocket, a poll, a send. What a
// browser makes of the proxy's TLS and HTTP/2 is its own: with HAProxy the WebSocket is a stream of
// the same connection as all else (RFC 8441).
//
// Usage: node page.test.mjs https://chat.example.com:4711 ...

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../../browser/', import.meta.url))('playwright-core');

/** All that happens inside of the page. */
async function talk() {
  const socket = new WebSocket(`wss://${location.host}/chsk?client-id=page-ws`);
  const handshake = await new Promise((resolve) => {
    socket.onmessage = (event) => resolve(event.data);
    socket.onclose = (event) => resolve(`closed with ${event.code}`);
  });
  const poll = await fetch('/chsk?client-id=page-ajax&handshake%3F=true');
  const send = await fetch('/chsk', {
    method: 'POST',
    body: new URLSearchParams({ 'client-id': 'page-ajax', ppstr: '[[:app/echo "ß"] :cb]' }),
  });
  const { nextHopProtocol } = performance.getEntriesByType('resource').pop();
  return [handshake, await poll.text(), await send.text(), nextHopProtocol];
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--host-resolver-rules=MAP chat.example.com 127.0.0.1'],
});
try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true }); // signed by itself
  for (const origin of process.argv.slice(2)) {
    const page = await context.newPage();
    await page.goto(`${origin}/chsk`); // a 400, which is a page like any other
    assert.deepEqual(await page.evaluate(talk), [
      '[[:chsk/handshake ["page-ws" nil nil]] nil]',
      '[[:chsk/handshake ["page-ajax" nil nil]] nil]',
      '["ß" nil]',
      'h2',
    ], origin);
    await page.close();
  }
} finally {
  await browser.close();
}
