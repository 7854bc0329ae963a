// The page of the demo: a chat, who is online, a switch between the transports, and a ping.

import { Chsk, failures } from './chsk.js';
import { kw, plain } from './edn.js';

const REPLY_MS = 8_000;
const LOG_MAX = 500;

const $ = (id) => document.getElementById(id);
const log = $('log');

let me = chooseName();
let lastFrom = null;

const chsk = new Chsk({ params: { uid: me }, onEvent: receive, onState: showState });

/** The name in the address, else the one this tab had, else a new one. */
function chooseName() {
  const given = new URLSearchParams(location.search).get('uid')?.trim();
  const name = given || sessionStorage.getItem('name') || newName();
  sessionStorage.setItem('name', name);
  return name;
}

function newName() {
  const pick = (words) => words[Math.floor(Math.random() * words.length)];
  const first = pick(['Amber', 'Brave', 'Calm', 'Clever', 'Gentle', 'Kind', 'Quiet', 'Swift']);
  const second = pick(['Badger', 'Crane', 'Finch', 'Fox', 'Heron', 'Lynx', 'Otter', 'Wren']);
  return `${first} ${second}`;
}

function element(tag, className, text) {
  const e = document.createElement(tag);
  e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

/** A hue for a name, the same on every page. */
function hue(name) {
  let h = 0;
  for (const c of name) h = (h * 31 + c.codePointAt(0)) % 360;
  return h;
}

function receive([id, data]) {
  const value = plain(data);
  if (id === kw('chat/message')) showMessage(value);
  else if (id === kw('chat/online')) showOnline(value);
}

/** A push by hand may have only a text. */
function showMessage({ from = 'chskd', text, at = Date.now() }) {
  const item = element('li', 'said');
  item.classList.toggle('mine', from === me);
  item.classList.toggle('again', from === lastFrom);
  item.dataset.from = from;
  const who = element('p', 'who');
  const name = element('b', '', from);
  name.style.setProperty('--hue', hue(from));
  const time = element('time', '', new Date(at).toLocaleTimeString([], { timeStyle: 'short' }));
  time.dateTime = new Date(at).toISOString();
  who.append(name, time);
  item.append(who, element('p', 'text', text));
  append(item);
  lastFrom = from;
}

/** Follows the log's end unless the reader has scrolled away from it. */
function append(item) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.querySelector('.empty')?.remove();
  log.append(item);
  while (log.children.length > LOG_MAX) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function showOnline({ users, count }) {
  $('online-count').textContent = count;
  const rank = (u) => (u.uid === me ? 0 : 1);
  users.sort((a, b) => rank(a) - rank(b) || a.uid.localeCompare(b.uid));
  $('online').replaceChildren(...users.map(onlineItem));
}

function onlineItem({ uid, ws, ajax }) {
  const item = element('li', '');
  item.dataset.uid = uid;
  const face = element('span', 'face', [...uid][0]?.toUpperCase());
  face.style.setProperty('--hue', hue(uid));
  face.setAttribute('aria-hidden', 'true');
  const name = element('span', 'uid', uid);
  name.title = uid;
  if (uid === me) name.append(element('span', 'you', ' (you)'));
  item.append(face, name);
  if (ws) item.append(element('span', 'badge ws', 'ws'));
  if (ajax) item.append(element('span', 'badge ajax', 'ajax'));
  return item;
}

let wasOpen = false;

function showState(state) {
  const badge = $('state');
  badge.dataset.open = state.open;
  badge.dataset.transport = state.transport;
  showStateText();
  $('transport').textContent = chsk.options.type === 'ajax' ? 'Use WebSocket' : 'Force Ajax';
  $('ping').disabled = !state.open;
  if (state.open && !wasOpen) greet();
  wasOpen = state.open;
}

/** Counts a retry down; touches the text only when it changes, for it is read out then. */
function showStateText() {
  const text = stateText(chsk.state);
  if ($('state-text').textContent !== text) $('state-text').textContent = text;
}

function stateText({ open, transport, retryAt }) {
  if (open) return transport === 'ws' ? 'WebSocket' : 'Ajax';
  const seconds = Math.ceil((retryAt - Date.now()) / 1000);
  return seconds > 0 ? `Offline, retry in ${seconds} s` : 'Connecting';
}

/** Tells the backend that we are here; it answers with who else is. */
async function greet() {
  const reply = await chsk.send([kw('chat/hello'), null], REPLY_MS);
  if (!failures.has(reply)) showOnline(plain(reply));
}

function notify(text) {
  $('notice').textContent = text;
  $('notice').hidden = !text;
}

async function say(text) {
  const reply = await chsk.send([kw('chat/send'), { text }], REPLY_MS);
  if (failures.has(reply)) {
    notify(chsk.state.open
      ? 'No answer from the backend; the message may be lost.'
      : 'Not sent: not connected.');
    if (!$('message').value) $('message').value = text;
  } else {
    notify('');
  }
}

async function ping() {
  const start = performance.now();
  const reply = await chsk.send([kw('chat/ping'), null], REPLY_MS);
  const ms = (performance.now() - start).toFixed(1);
  const via = chsk.state.transport === 'ws' ? 'WebSocket' : 'Ajax';
  $('ping-result').textContent = failures.has(reply)
    ? 'No reply came from the backend.'
    : `Reply “${plain(reply).pong}” after ${ms} ms over ${via}.`;
}

$('compose').addEventListener('submit', (e) => {
  e.preventDefault();
  const text = $('message').value.trim();
  $('message').value = '';
  if (text) say(text);
});

$('rename').addEventListener('submit', (e) => {
  e.preventDefault();
  const name = $('name').value.trim();
  if (!name || name === me) return;
  me = name;
  sessionStorage.setItem('name', me);
  history.replaceState(null, '', `?uid=${encodeURIComponent(me)}`);
  document.title = `${me} · chskd demo`;
  chsk.reconnect({ params: { uid: me } });
});

$('transport').addEventListener('click', () => {
  chsk.reconnect({ type: chsk.options.type === 'ajax' ? 'auto' : 'ajax' });
});

$('ping').addEventListener('click', ping);

addEventListener('pagehide', () => chsk.disconnect());
addEventListener('pageshow', (e) => e.persisted && chsk.connect());
setInterval(showStateText, 500);

$('name').value = me;
document.title = `${me} · chskd demo`;
$('message').focus();
chsk.connect();
