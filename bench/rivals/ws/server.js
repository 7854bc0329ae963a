// Serves what `chskd bench idle|ping|broadcast` asks for with npm's ws, without compression, as is
// its default. Usage: node server.js PORT
'use strict';

const { WebSocketServer } = require('ws');

const HELLO = '[[:chsk/handshake ["rival" nil nil]] nil]';
const PING = '[[:chsk/ws-ping] ';
const PUSH = '[[:bench/push ';

const server = new WebSocketServer({
  host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096, perMessageDeflate: false,
});

server.on('connection', (socket) => {
  socket.on('error', () => {}); // the load tool ends its connections with a reset
  socket.on('message', onMessage);
  socket.send(HELLO);
});

// One function for all connections, so that none has a closure of its own.
function onMessage(data) {
  const message = data.toString();
  if (message.startsWith(PING)) {
    this.send('["pong" ' + message.slice(PING.length));
  } else if (message.startsWith(PUSH)) {
    broadcast('[[[:bench/n ' + message.slice(PUSH.length, -'] nil]'.length) + ']] nil]');
  }
}

// As ws's documentation does it. The bytes are made once.
function broadcast(text) {
  const bytes = Buffer.from(text);
  for (const client of server.clients) {
    if (client.readyState === 1) client.send(bytes, { binary: false });
  }
}
