#!/bin/bash
# Serves Socket.IO on a port of 127.0.0.1: run.sh PORT. Needs node and npm. See ../start.sh for what
# it prints; bench is what to measure with instead of `chskd bench`, because it has another protocol.
cd "$(dirname "$0")"
. ../start.sh
[ -d node_modules ] || npm ci --ignore-scripts --no-audit --no-fund > "$OUT/socketio.npm" 2>&1
(cd driver && go build -o "$OUT/socketio-driver" .)
launch socketio node server.js "$port"
ready socketio
echo "$(told) bench=$OUT/socketio-driver"
