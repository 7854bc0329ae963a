#!/bin/bash
# Serves npm's ws on a port of 127.0.0.1: run.sh PORT. Needs node and npm. See ../start.sh for what
# it prints.
cd "$(dirname "$0")"
. ../start.sh
[ -d node_modules ] || npm ci --ignore-scripts --no-audit --no-fund > "$OUT/ws.npm" 2>&1
launch ws node server.js "$port"
ready ws
told
