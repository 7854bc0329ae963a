// Drives the demo page in a real browser: two tabs chat over WebSocket and over Ajax, see each
// other online, keep their order, get replies, and come back after a restart of the daemon.
//
//   CHSKD     the chskd program to test (required)
//   CHROMIUM  the browser (default /usr/bin/chromium)
//   SHOTS     a folder for screenshots (default: none)
//
// Exits with 0 when all went well; every step is told on one line.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { launch } from './chromium.mjs';
import { Daemon } from './daemon.mjs';
import { Tab } from './tab.mjs';

const BURST = 50;

async function chat(from, to, text) {
  await from.say(text);
  await to.sees(text);
  await from.sees(text);
}

async function bothWays(ann, bob, over) {
  await chat(ann, bob, `from Ann over ${over}`);
  await chat(bob, ann, `from Bob over ${over}: é ☃ 😀 "quoted" \\ back`);
}

/** Ann and Bob see themselves and each other, with the marks given. */
async function online(ann, bob, marks) {
  for (const tab of [ann, bob]) {
    await tab.online('Ann', marks.Ann);
    await tab.online('Bob', marks.Bob);
  }
}

/** Many messages at once, sent without waiting for each other, come to both in their order. */
async function order(from, to, name) {
  const texts = Array.from({ length: BURST }, (_, i) => `${name} ${i}`);
  await from.sayAll(texts);
  for (const tab of [from, to]) {
    await tab.sees(texts.at(-1));
    const seen = (await tab.texts()).filter((t) => t.startsWith(`${name} `));
    assert.deepEqual(seen, texts, `${name}: order at ${tab.uid}`);
  }
}

const steps = [
  ['both connect over WebSocket', async ({ ann, bob }) => {
    await ann.open('ws');
    await bob.open('ws');
    await online(ann, bob, { Ann: ['ws'], Bob: ['ws'] });
  }],
  ['they chat over WebSocket', ({ ann, bob }) => bothWays(ann, bob, 'WebSocket')],
  ['messages keep their order over WebSocket', ({ ann, bob }) => order(ann, bob, 'ws')],
  ['a reply comes back over WebSocket', ({ ann }) => ann.pings('WebSocket')],
  ['Bob is forced to Ajax', async ({ ann, bob }) => {
    await bob.click('Force Ajax');
    await bob.open('ajax');
    await online(ann, bob, { Ann: ['ws'], Bob: ['ajax'] });
  }],
  ['they chat over Ajax', ({ ann, bob }) => bothWays(ann, bob, 'Ajax')],
  ['messages to Ajax keep their order', ({ ann, bob }) => order(ann, bob, 'to ajax')],
  ['a reply comes back over Ajax', ({ bob }) => bob.pings('Ajax')],
  ['both come back after a restart', async ({ ann, bob, daemon }) => {
    await daemon.stop();
    await ann.closed();
    await bob.closed();
    await daemon.start();
    await ann.open('ws');
    await bob.open('ajax');
    await bothWays(ann, bob, 'the new daemon');
  }],
  ['Bob goes back to WebSocket', async ({ ann, bob }) => {
    await bob.click('Use WebSocket');
    await bob.open('ws');
    await online(ann, bob, { Ann: ['ws'], Bob: ['ws'] });
    await bothWays(ann, bob, 'WebSocket again');
  }],
  ['Bob takes another name', async ({ ann, bob }) => {
    await bob.rename('Bobby');
    await bob.open('ws');
    await ann.online('Bobby', ['ws']);
    await ann.offline('Bob');
    await chat(bob, ann, 'from Bobby');
  }],
  ['nothing went wrong in the pages', ({ ann, bob }) => {
    assert.deepEqual([...ann.errors, ...bob.errors], []);
  }],
];

async function shoot(world, number) {
  if (!process.env.SHOTS) return;
  for (const tab of [world.ann, world.bob]) {
    await tab.page.screenshot({ path: join(process.env.SHOTS, `${number}-${tab.uid}.png`) });
  }
}

async function main() {
  const folder = await mkdtemp(join(tmpdir(), 'chskd-browser-'));
  const daemon = new Daemon(process.env.CHSKD, folder);
  let browser;
  const end = async () => {
    await browser?.close();
    await daemon.stop();
    await rm(folder, { recursive: true, force: true });
  };
  process.once('SIGINT', () => end().finally(() => process.exit(130)));
  try {
    await daemon.start();
    browser = await launch();
    const context = await browser.newContext();
    const world = {
      daemon,
      ann: await Tab.open(context, daemon.origin, 'Ann'),
      bob: await Tab.open(context, daemon.origin, 'Bob'),
    };
    for (const [i, [name, step]] of steps.entries()) {
      try {
        await step(world);
      } catch (error) {
        await shoot(world, 'failed');
        throw new Error(`${name}\n${daemon.log()}`, { cause: error });
      }
      await shoot(world, i + 1);
      console.log(`ok ${i + 1} - ${name}`);
    }
    console.log(`${steps.length} passed, 0 failed`);
  } finally {
    await end();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
