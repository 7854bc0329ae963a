// The daemon under test, as a child process.

import { spawn } from 'node:child_process';
import { join } from 'node:path';

const START_MS = 20_000;
const STOP_MS = 20_000;
const LOG_MAX = 8_000;

/** One chskd with its demo; it keeps its port over a restart, as a service does. */
export class Daemon {
  /**
   * @param {string} program
   * @param {string} folder where its API socket may lie
   */
  constructor(program, folder) {
    if (!program) throw new Error('CHSKD must name the chskd program');
    this.program = program;
    this.socket = join(folder, 'chskd.sock');
    this.address = '127.0.0.1:0';
    this.output = '';
  }

  get origin() {
    return `http://${this.address}`;
  }

  /** What it printed, its end only. */
  log() {
    return this.output.slice(-LOG_MAX);
  }

  async start() {
    const args = ['serve', '--demo', '--listen', this.address, '--api-socket', this.socket];
    const child = spawn(this.program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const from = this.output.length;
    const ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? signal));
    });
    this.child = child;
    this.ended = ended;
    const started = new Promise((resolve, reject) => {
      const listen = (chunk) => {
        this.output += chunk;
        const m = /listening on http:\/\/([^/\s]+)\//.exec(this.output.slice(from));
        if (m) resolve(m[1]);
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.once('error', reject);
      ended.then((how) => {
        reject(new Error(`chskd ended with ${how} before it listened\n${this.log()}`));
      });
    });
    this.address = await within(START_MS, started, 'chskd did not say where it listens');
  }

  async stop() {
    const { child, ended } = this;
    if (!child) return;
    this.child = null;
    child.kill('SIGTERM');
    try {
      await within(STOP_MS, ended, 'chskd did not stop');
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }
}

async function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(what)), ms)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
