#!/bin/bash
# Builds coder and serves on a port of 127.0.0.1: run.sh PORT. See ../start.sh for what it prints.
cd "$(dirname "$0")"
. ../start.sh
build coder
launch coder "$OUT/coder" "$port"
ready coder
told
