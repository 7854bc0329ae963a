// A channel-socket client as a stock Sente client behaves, in one file: WebSocket or Ajax long
// polling on one path, the edn packer, callbacks, keep-alive, backoff, and `auto`, which tries
// WebSocket first and turns to Ajax when the very first attempt is refused.

import { kw, read, write } from './edn.js';

const HANDSHAKE = kw('chsk/handshake');
const WS_PING = kw('chsk/ws-ping');
const WS_PONG = kw('chsk/ws-pong');
const TIMEOUT = kw('chsk/timeout');
const CLOSED = kw('chsk/closed');
const ERROR = kw('chsk/error');

const KEEP_ALIVE_MS = 10_000;
const PING_TIMEOUT_MS = 5_000;
const AJAX_TIMEOUT_MS = 60_000;
const BACKOFF_MAX_MS = 30_000;

/** Pseudo replies: what a callback gets when no reply came. */
export const failures = new Set([TIMEOUT, CLOSED, ERROR]);

/**
 * @typedef {object} Options
 * @property {string} [path] default `/chsk`
 * @property {'auto'|'ws'|'ajax'} [type] default `auto`
 * @property {Record<string, string>} [params] sent with every request, as the uid of `--auth dev`
 * @property {string} [csrfToken]
 * @property {(event: any[]) => void} onEvent each pushed event, as `[keyword, data]`
 * @property {(state: State) => void} onState after every change
 *
 * @typedef {object} State
 * @property {boolean} open
 * @property {'ws'|'ajax'} transport the one in use or being tried
 * @property {any} uid as the last handshake said
 * @property {number} retryAt ms since the epoch of the next attempt while waiting for it, else 0
 */

/** One client: one client-id for its life, over one transport at a time. */
export class Chsk {
  /** @param {Options} options */
  constructor(options) {
    this.options = { path: '/chsk', type: 'auto', params: {}, ...options };
    this.clientId = uuid();
    this.everOpened = false;
    this.attempt = 0;
    this.transport = null;
    this.timer = 0;
    /** @type {State} */
    this.state = { open: false, transport: this.wanted(), uid: null, retryAt: 0 };
  }

  wanted() {
    return this.options.type === 'ajax' ? 'ajax' : 'ws';
  }

  connect() {
    this.open(this.wanted());
  }

  /** Ends the transport in use and connects anew, after changing options if any are given. */
  reconnect(options = {}) {
    Object.assign(this.options, options);
    if (options.type) this.everOpened = false;
    this.attempt = 0;
    this.connect();
  }

  disconnect() {
    clearTimeout(this.timer);
    this.transport?.end();
    this.transport = null;
    this.set({ open: false, retryAt: 0 });
  }

  /**
   * Sends `[keyword, data]`. Without a timeout nothing is waited for; with one, the promise gives
   * the reply, or one of `failures`. Nothing is queued while closed.
   * @returns {Promise<any>}
   */
  send(event, timeoutMs = 0) {
    if (!this.state.open) return Promise.resolve(CLOSED);
    return this.transport.send(event, timeoutMs);
  }

  /** @param {'ws'|'ajax'} name */
  open(name) {
    clearTimeout(this.timer);
    this.transport?.end();
    this.set({ open: false, transport: name, retryAt: 0 });
    this.transport = name === 'ws' ? new WebSocketTransport(this) : new AjaxTransport(this);
    this.transport.start();
  }

  set(change) {
    this.state = { ...this.state, ...change };
    this.options.onState(this.state);
  }

  query(extra) {
    return new URLSearchParams({ ...this.options.params, ...extra, 'client-id': this.clientId });
  }

  /** Called by a transport for `[:chsk/handshake [uid nil data]]`. */
  opened(uid) {
    this.attempt = 0;
    this.everOpened = true;
    this.set({ open: true, uid, retryAt: 0 });
  }

  /** Called by a transport that is lost. Waits, unless this is the first try, and starts again. */
  lost(transport) {
    if (transport !== this.transport) return;
    if (transport.refused && this.options.type === 'auto' && !this.everOpened) {
      this.open('ajax');
      return;
    }
    const delay = backoff(++this.attempt);
    const name = this.state.transport;
    this.set({ open: false, retryAt: delay ? Date.now() + delay : 0 });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(name), delay);
  }

  /** Called by a transport for a batch `[event ...]`. */
  deliver(batch) {
    for (const event of batch) {
      try {
        this.options.onEvent(event);
      } catch (error) {
        console.error(error);
      }
    }
  }
}

class WebSocketTransport {
  /** @param {Chsk} chsk */
  constructor(chsk) {
    this.chsk = chsk;
    this.waiting = new Map();
    this.active = true;
    this.refused = false;
    this.ended = false;
  }

  start() {
    const url = new URL(this.chsk.options.path, location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const token = this.chsk.options.csrfToken;
    url.search = this.chsk.query(token ? { 'csrf-token': token } : {});
    this.socket = new WebSocket(url);
    this.socket.onmessage = (m) => this.receive(m.data);
    this.socket.onerror = () => (this.refused = true);
    this.socket.onclose = () => this.gone();
    this.keepAlive = setInterval(() => this.beat(), KEEP_ALIVE_MS);
  }

  /** Closed by us: its callbacks get no reply any more. */
  end() {
    this.ended = true;
    this.stop();
    this.socket.close(1000, 'CLOSE_NORMAL');
  }

  gone() {
    this.stop();
    if (!this.ended) this.chsk.lost(this);
  }

  stop() {
    clearInterval(this.keepAlive);
    for (const reply of [...this.waiting.values()]) reply(CLOSED);
  }

  receive(text) {
    if (this.ended) return;
    this.active = true;
    const [value, cb] = read(text);
    if (Array.isArray(value) && value[0] === HANDSHAKE) this.chsk.opened(value[1][0]);
    else if (value === WS_PING) this.write([[WS_PONG], null]);
    else if (cb !== null && cb !== undefined) this.waiting.get(cb)?.(value);
    else this.chsk.deliver(value);
  }

  write(message) {
    this.active = true;
    this.socket.send(write(message));
  }

  send(event, timeoutMs) {
    if (this.socket.readyState !== WebSocket.OPEN) return Promise.resolve(CLOSED);
    if (!timeoutMs) {
      this.write([event, null]);
      return Promise.resolve(true);
    }
    const cb = uuid().slice(0, 6);
    return new Promise((resolve) => {
      const done = (reply) => {
        clearTimeout(timer);
        this.waiting.delete(cb);
        resolve(reply);
      };
      const timer = setTimeout(() => done(TIMEOUT), timeoutMs);
      this.waiting.set(cb, done);
      this.write([event, cb]);
    });
  }

  /** Every tick without traffic either way asks the server, and gives up on one that is silent. */
  async beat() {
    if (this.active) {
      this.active = false;
      return;
    }
    const reply = await this.send([WS_PING], PING_TIMEOUT_MS);
    if (reply === 'pong' || this.ended) return;
    this.end();
    this.chsk.lost(this);
  }
}

class AjaxTransport {
  /** @param {Chsk} chsk */
  constructor(chsk) {
    this.chsk = chsk;
    this.requests = new Set();
    this.ended = false;
  }

  start() {
    this.poll(true);
  }

  end() {
    this.ended = true;
    for (const request of this.requests) request.abort();
  }

  async poll(handshake) {
    const query = this.chsk.query({ udt: Date.now(), ...(handshake ? { 'handshake?': 1 } : {}) });
    const value = await this.fetch(`${this.chsk.options.path}?${query}`, {}, AJAX_TIMEOUT_MS);
    if (this.ended) return;
    if (value === TIMEOUT) {
      this.poll(!this.chsk.state.open);
    } else if (!Array.isArray(value)) {
      this.chsk.lost(this);
    } else if (value[0] === HANDSHAKE) {
      this.chsk.opened(value[1][0]);
      this.poll(false);
    } else {
      // Poll again before delivering, so that the server need not wait for slow handlers.
      this.poll(false);
      this.chsk.deliver(value);
    }
  }

  async send(event, timeoutMs) {
    const url = `${this.chsk.options.path}?${new URLSearchParams(this.chsk.options.params)}`;
    const body = new URLSearchParams({
      udt: Date.now(),
      'client-id': this.chsk.clientId,
      ppstr: write([event, timeoutMs ? kw('ajax') : null]),
    });
    const value = await this.fetch(url, { method: 'POST', body }, timeoutMs || AJAX_TIMEOUT_MS);
    return timeoutMs || failures.has(value) ? value : true;
  }

  /** The value that a request is answered with, TIMEOUT, or ERROR for any failure. */
  async fetch(url, init, timeoutMs) {
    const request = new AbortController();
    const timer = setTimeout(() => request.abort(TIMEOUT), timeoutMs);
    const token = this.chsk.options.csrfToken;
    const headers = { 'x-requested-with': 'XMLHTTPRequest' };
    if (token) headers['x-csrf-token'] = token;
    this.requests.add(request);
    try {
      const { signal } = request;
      const answer = await fetch(url, { ...init, headers, signal, cache: 'no-store' });
      if (!answer.ok) return ERROR;
      const message = read(await answer.text());
      return Array.isArray(message) ? message[0] : ERROR;
    } catch {
      return request.signal.reason === TIMEOUT ? TIMEOUT : ERROR;
    } finally {
      clearTimeout(timer);
      this.requests.delete(request);
    }
  }
}

/** The first retry is immediate, then 2-4 s, 4-8 s and so on: clients must not return in step. */
function backoff(attempt) {
  if (attempt < 2) return 0;
  return Math.min(2 ** attempt * 1000 * (0.5 + Math.random() / 2), BACKOFF_MAX_MS);
}

/** A random UUID, also where the page is not a secure context. */
function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
