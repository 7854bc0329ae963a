// A new user with the demo page open: what they write comes back, louder, from the backend that
// they have started, and what they push from a shell is seen in the page.
//
//   ADDRESS   the page, as the daemon has printed it (required)
//   PUSHES    [{ "run": a command for sh, "text": what the page shows then }], JSON (required)
//   CHROMIUM  the browser (default /usr/bin/chromium)
//
// Exits with 0 when all went well; every step is told on one line.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { launch } from './chromium.mjs';
import { Tab } from './tab.mjs';

const COMMAND_MS = 30_000;

async function path(tab) {
  await tab.open('ws');
  console.log('ok - the page is connected');
  await tab.say('grüß dich, chskd');
  await tab.sees('grüß dich, chskd');
  await tab.sees('GRÜSS DICH, CHSKD', 'python');
  console.log('ok - what the page says comes back louder');
  for (const { run, text } of JSON.parse(process.env.PUSHES)) {
    const { stdout } = await promisify(execFile)('sh', ['-c', run], { timeout: COMMAND_MS });
    try {
      await tab.sees(text);
    } catch (error) {
      throw new Error(`after ${run}, which printed ${stdout}`, { cause: error });
    }
    console.log(`ok - seen in the page: ${run}`);
  }
}

async function main() {
  const browser = await launch();
  process.once('SIGINT', () => browser.close().finally(() => process.exit(130)));
  let tab;
  try {
    tab = await Tab.at(await browser.newContext(), process.env.ADDRESS);
    await path(tab);
    assert.deepEqual([...tab.errors, ...tab.complaints], []);
  } catch (error) {
    const errors = [...(tab?.errors ?? []), ...(tab?.complaints ?? [])];
    throw new Error(`errors of the page: ${errors.join('; ') || 'none'}`, { cause: error });
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
