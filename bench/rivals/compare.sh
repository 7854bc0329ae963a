#!/bin/bash
# Runs the same loads against chskd and its peers in turn, round after round, and prints a table of
# what they cost the server: memory of an idle WebSocket, CPU of a handshake, a ping, a delivery.
#
#   compare.sh [ROUNDS [SERVER...]]     5 rounds of all servers below, if not told
#
# Every run starts a fresh server, on core 0, and loads it from core 1. What goes wrong is said, and
# is no figure. Results: the table, compare.md, compare.csv and each run's JSON in $OUT/compare.
#
#   CHSKD=FILE   the program (default: built from this tree)
#   OUT=DIR      where everything goes (default: bench/rivals/out)
#   LOCK=FILE    held around each run, so that other measurements wait for this one
#   IDLE PING BROADCAST   other flags of the three loads
set -u
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
rounds=${1:-5}
[ $# -gt 0 ] && shift
servers=${*:-chskd floor gobwas gobwas-epoll gws gorilla coder ws socketio nchan}

export OUT=${OUT:-$here/out}
results=$OUT/compare
mkdir -p "$results"
if [ -z "${CHSKD:-}" ]; then
	CHSKD=$OUT/chskd
	(cd ../.. && go build -o "$CHSKD" ./cmd/chskd) || exit 1
fi
export CHSKD
IDLE=${IDLE:---conns 18000 --from 4000 --step 3500 --settle 1s --duration 1s}
PING=${PING:---conns 1000 --outstanding 64 --duration 2s}
BROADCAST=${BROADCAST:---conns 10000 --size 128 --rate 2 --duration 4s}

pin0= pin1=
if [ "$(nproc)" -gt 1 ]; then pin0="taskset -c 0" pin1="taskset -c 1"; fi
port=18200

# run SERVER SCENARIO FLAGS: one run against a fresh server, as JSON on stdout.
run() {
	local folder=${1%-epoll} mode= told pid url stop api= bench=
	[ "$folder" = "$1" ] || mode=-epoll
	told=$(MODE=$mode PIN=$pin0 PIN_LOAD=$pin1 "./$folder/run.sh" "$port") || return 1
	eval "$told"
	$pin1 timeout 60 ${bench:-$CHSKD bench} "$2" --json --url "$url" --pid "$pid" \
		${api:+$([ "$2" = broadcast ] && echo --api-socket "$api")} $3
	local status=$?
	kill ${stop//,/ } 2> /dev/null
	while kill -0 ${stop//,/ } 2> /dev/null; do sleep 0.05; done
	return $status
}

for round in $(seq "$rounds"); do
	for scenario in idle ping broadcast; do
		flags=${scenario^^}
		for server in $servers; do
			[ "$server.$scenario" = nchan.ping ] && continue # see nchan/run.sh
			port=$((port + 1))
			file=$results/$server.$scenario.$round.json
			exec 9> "${LOCK:-/dev/null}"
			[ -z "${LOCK:-}" ] || flock 9
			echo "$(date +%T) round $round: $server $scenario" >&2
			if ! run "$server" "$scenario" "${!flags}" > "$file" 2> "$file.err" 9>&-; then
				echo "FAILED: $server $scenario: $(tail -2 "$file.err")" >&2
				mv "$file" "$file.failed"
			fi
			exec 9>&-
		done
	done
done
(cd table && go build -o "$OUT/table" .) && "$OUT/table" "$results" $servers
