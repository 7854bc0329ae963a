#!/bin/bash
# How the cost of an operation grows with connections and loops: the same loads at each size, against
# chskd and against rivals/floor (the same system calls with no server around them), in turn, round
# after round. Then scaling.py makes tables and a plot of the medians.
#
#   scaling.sh [ROUNDS [GROUP...]]     3 rounds of all groups below, if not told
#
#   sizes    ping, pushes to single users and broadcasts, at SIZES connections, one loop on core 0
#   loops    what each number in LOOPS takes at LOOPS_CONNS connections, on all cores
#   fanout   one user with 1,000 clients; 10,000 users in 100 topics; each number in LOOPS
#
# Every run starts a fresh server. A run that fails, or loses an event, is no figure.
#
#   CHSKD=FILE FLOOR=FILE   the programs (default: built from this tree)
#   OUT=DIR      where results go, one JSON a run (default: bench/scaling.out). Rounds add up: those
#                that are there are left as they are
#   LOCK=FILE    held around runs, for 15 s at most, so that other measurements wait for this one
#   SIZES="1000 ..."   LOOPS="1 2"   LOOPS_CONNS=10000
#   TOOLS=1      processes of the load tool in `loops`: with more cores, about as many as loops
set -u
cd "$(dirname "$0")"
rounds=${1:-3}
[ $# -gt 0 ] && shift
groups=${*:-sizes loops fanout}
sizes=${SIZES:-1000 2000 5000 10000 15000 17500}
loops=${LOOPS:-1 2}
conns=${LOOPS_CONNS:-10000}
out=${OUT:-$PWD/scaling.out}
mkdir -p "$out"
if [ -z "${CHSKD:-}" ]; then
	CHSKD=$out/chskd
	(cd .. && go build -o "$CHSKD" ./cmd/chskd) || exit 1
fi
if [ -z "${FLOOR:-}" ]; then
	FLOOR=$out/floor
	(cd rivals/floor && go build -o "$FLOOR" .) || exit 1
fi
pin0= pin1=
if [ "$(nproc)" -gt 1 ]; then pin0="taskset -c 0" pin1="taskset -c 1"; fi
port=18600 server= since=0

stop() {
	[ -z "$server" ] || { kill "$server" && wait "$server"; } 2> /dev/null
	server=
}
trap stop EXIT

# await: until the server listens, for 10 s.
await() {
	for _ in $(seq 200); do
		(exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null && return
		kill -0 "$server" 2> /dev/null || return
		sleep 0.05
	done
}

# serve PROGRAM LOOPS: on $port, and with one loop of `sizes` on core 0. $api: its socket for pushes.
serve() {
	api=
	if [ "$1" = floor ]; then
		GOMAXPROCS=1 $pin0 "$FLOOR" "$port" > "$out/floor.log" 2>&1 &
	else
		api=$out/$port.sock
		GOMAXPROCS=$2 ${pin:+$pin0} "$CHSKD" serve --listen "127.0.0.1:$port" --loops "$2" \
			--auth dev --api-socket "$api" --ws-kalive-ms 600000 > "$out/chskd.log" 2>&1 &
	fi
	server=$!
	await
}

# Runs that follow each other share a turn, as most take 3 s.
locked=
lock() {
	[ -z "$locked$([ -n "${LOCK:-}" ] || echo free)" ] || return
	exec 9> "$LOCK"
	flock 9
	locked=yes since=$SECONDS
}
unlock() {
	exec 9>&-
	locked=
}

# run FILE PROGRAM LOOPS SCENARIO FLAGS: one run, as JSON in FILE.
run() {
	local file=$out/$1.json program=$2 count=$3 scenario=$4 load=
	shift 4
	[ -s "$file" ] && return
	port=$((port + 1))
	[ -z "${pin:-}" ] || load=$pin1
	lock
	echo "$(date +%T) ${file##*/}" >&2
	serve "$program" "$count" 9>&-
	local url="ws://127.0.0.1:$port/chsk?uid=$uid"
	[ "$scenario" = ping ] && api=
	[ "$scenario" = push ] || [ "$scenario" = topic ] && set -- --uid 'u{i}' "$@"
	if ! $load timeout 12 "$CHSKD" bench "$scenario" --json --status -1s --settle 200ms --timeout 9s \
		--url "$url" --pid "$server" ${api:+--api-socket "$api"} "$@" > "$file" 2> "$file.err" 9>&-; then
		echo "FAILED: $(tail -2 "$file.err")" >&2
		mv "$file" "$file.failed"
	else
		rm "$file.err"
	fi
	stop
	[ $((SECONDS - since)) -lt 11 ] || unlock
}

# A fixed number of deliveries a second, whatever the size, and below one a batch window (30 ms).
sizes() {
	local n program rate pin=yes uid='u{i}'
	for n in $sizes; do
		rate=$((20000 / n))
		[ "$rate" -gt 0 ] || rate=1
		for program in chskd floor; do
			run "sizes.$program.ping.$n.$1" $program 1 ping --conns "$n" --outstanding 64 --duration 600ms
		done
		for program in chskd floor; do
			run "sizes.$program.broadcast.$n.$1" $program 1 broadcast --conns "$n" --rate $rate --duration 1200ms
		done
		run "sizes.chskd.flushed.$n.$1" chskd 1 push --conns "$n" --rate 5000 --flush --duration 800ms
	done
}

loops() {
	local l pin='' uid='u{i}' each=$(((conns + ${TOOLS:-1} - 1) / ${TOOLS:-1}))
	for l in $loops; do
		run "loops.$l.ping.$conns.$1" chskd "$l" ping --conns "$conns" --per-process $each \
			--outstanding $((200 * l)) --duration 1s
	done
	for l in $loops; do
		run "loops.$l.echo.$conns.$1" chskd "$l" echo --conns "$conns" --per-process $each \
			--outstanding $((200 * l)) --duration 1s
	done
	for l in $loops; do
		run "loops.$l.push.$conns.$1" chskd "$l" push --conns "$conns" --per-process $each \
			--burst 64 --duration 1s
	done
	for l in $loops; do
		run "loops.$l.flushed.$conns.$1" chskd "$l" push --conns "$conns" --per-process $each \
			--flush --duration 1s
	done
	for l in $loops; do
		run "loops.$l.broadcast.$conns.$1" chskd "$l" broadcast --conns "$conns" --per-process $each \
			--rate 2 --duration 1500ms
	done
}

fanout() {
	local l pin='' uid
	for l in $loops; do
		uid=u0 # of all; pushes are for the first, u0
		run "fanout.$l.user.1000.$1" chskd "$l" push --conns 1000 --users 1 --rate 20 --duration 2s
	done
	for l in $loops; do
		uid='u{i}'
		run "fanout.$l.topic.10000.$1" chskd "$l" topic --conns 10000 --topics 100 --rate 100 --duration 2s
	done
}

for round in $(seq "$rounds"); do
	for group in $groups; do
		"$group" "$round"
		unlock
	done
done
python3 scaling.py "$out" > "$out/tables.md"
