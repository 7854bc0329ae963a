#!/bin/bash
# Builds gobwas and serves on a port of 127.0.0.1: run.sh PORT. MODE=-epoll is the variant without a
# goroutine a connection. See ../start.sh for what it prints.
cd "$(dirname "$0")"
. ../start.sh
build gobwas
launch gobwas "$OUT/gobwas" ${MODE:-} "$port"
ready gobwas
told
