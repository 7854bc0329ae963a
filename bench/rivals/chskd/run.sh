#!/bin/bash
# Serves chskd on a port of 127.0.0.1: run.sh PORT. CHSKD is the program (default: built from this
# tree). See ../start.sh for what it prints; api is its socket for pushes.
cd "$(dirname "$0")"
. ../start.sh
if [ -z "${CHSKD:-}" ]; then
	CHSKD=$OUT/chskd
	(cd ../../.. && go build -o "$CHSKD" ./cmd/chskd)
fi
api=$OUT/chskd-$port.sock
launch chskd "$CHSKD" serve --listen "127.0.0.1:$port" --loops 1 --api-socket "$api"
ready chskd
echo "$(told) api=$api"
