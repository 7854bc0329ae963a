// Socket.IO as its documentation sets it up, for WebSockets only. It has its own protocol, so that
// the load comes from driver/. Usage: node server.js PORT
'use strict';

const { createServer } = require('node:http');
const { Server } = require('socket.io');

const server = createServer();
const io = new Server(server, { transports: ['websocket'], serveClient: false });

io.on('connection', (socket) => {
  socket.on('p', onPing);
  socket.on('push', onPush);
});

// The advice of its documentation for less memory: the first request is of no use afterwards.
io.engine.on('connection', (raw) => { raw.request = null; });

function onPing(answer) { answer(); }
function onPush(data) { io.emit('n', data); }

server.listen(Number(process.argv[2]), '127.0.0.1', 4096);
