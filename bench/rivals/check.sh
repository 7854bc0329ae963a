#!/bin/bash
# Starts each peer and asks it for pings and broadcasts over 10 connections, so that none rots: the Go
# ones always, those that need node or nginx where these are installed. Some seconds. Any failure is
# the exit status. Usage: check.sh [SERVER...]
#
#   CHSKD=FILE   the program to ask with (default: built from this tree)
set -u
cd "$(dirname "$0")"
servers=${*:-floor gws gobwas gobwas-epoll gorilla coder ws socketio nchan}
OUT=$(mktemp -d)
export OUT
trap 'rm -rf "$OUT"' EXIT
if [ -z "${CHSKD:-}" ]; then
	CHSKD=$OUT/chskd
	(cd ../.. && go build -o "$CHSKD" ./cmd/chskd) || exit 1
fi

# lacks SERVER: what it needs and is not installed, if anything.
lacks() {
	case $1 in
	ws | socketio) command -v npm > /dev/null || echo npm ;;
	nchan) [ -e /usr/lib/nginx/modules/ngx_nchan_module.so ] || echo libnginx-mod-nchan ;;
	esac
}

# ask SERVER: starts it and loads it; the output is said only if something is wrong.
ask() {
	local folder=${1%-epoll} mode= told pid url stop api= bench= status=0
	[ "$folder" = "$1" ] || mode=-epoll
	told=$(MODE=$mode "./$folder/run.sh" "$port") || return 1
	eval "$told"
	local load=${bench:-$CHSKD bench}
	if [ "$1" != nchan ]; then # see nchan/run.sh
		$load ping --url "$url" --pid "$pid" --conns 10 --outstanding 10 --duration 200ms || status=1
	fi
	$load broadcast --url "$url" --pid "$pid" ${api:+--api-socket "$api"} --conns 10 --rate 20 \
		--duration 300ms --settle 50ms || status=1
	kill ${stop//,/ }
	return $status
}

# check SERVER PORT: one line of what came out, and all the output of a failure.
check() {
	local missing said=$OUT/$1.said port=$2
	missing=$(lacks "$1")
	if [ -n "$missing" ]; then
		echo "skipped  $1: needs $missing"
	elif OUT=$OUT/$1 ask "$1" > "$said" 2>&1; then
		echo "ok       $1"
	else
		echo "FAILED   $1"
		sed 's/^/         /' "$said"
		return 1
	fi
}

port=${PORT:-18900}
running=
for server in $servers; do
	port=$((port + 1))
	check "$server" "$port" &
	running="$running $!"
done
failed=0
for one in $running; do wait "$one" || failed=1; done
exit $failed
