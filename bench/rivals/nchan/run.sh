#!/bin/bash
# Serves nchan on a port of 127.0.0.1: run.sh PORT. Needs Debian's nginx and libnginx-mod-nchan. See
# ../start.sh for what it prints; pid is nginx's worker, api the socket of adapter/, which makes
# chskd's pushes nchan's. It answers no chsk pings: a client's message would be a publication.
cd "$(dirname "$0")"
. ../start.sh
nginx=$(command -v nginx || echo /usr/sbin/nginx)
[ -e /usr/share/nginx/modules/ngx_nchan_module.so ] || [ -e /usr/lib/nginx/modules/ngx_nchan_module.so ] || {
	echo "nchan: needs libnginx-mod-nchan" >&2
	exit 1
}
sed -e "s|OUT|$OUT|g" -e "s|PORT|$port|g" nginx.conf > "$OUT/nchan.conf"
(cd adapter && go build -o "$OUT/nchan-adapter" .)
launch nchan "$nginx" -p /usr/share/nginx -c "$OUT/nchan.conf"
ready nchan
master=$pid
worker=$(cat "/proc/$master/task/$master/children")
worker=${worker%% *}
api=$OUT/nchan-$port.sock
rm -f "$api"
PIN=${PIN_LOAD:-} launch nchan-adapter "$OUT/nchan-adapter" "$api" "http://127.0.0.1:$port/push"
until [ -S "$api" ]; do kill -0 "$pid" && sleep 0.05; done
echo "pid=$worker url=ws://127.0.0.1:$port/chsk api=$api stop=$pid,$master"
