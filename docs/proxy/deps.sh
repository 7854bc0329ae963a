#!/bin/sh
# Installs the proxies whose configs stand here, nginx, haproxy and Caddy, from Debian's packages
# where this user may do that; their services are not started. What is there already is left alone.
# Where one cannot be had it says so and ends well, so that the other tests run; with
# CHSKD_REQUIRE_PROXIES=1 it fails.
set -eu

lack() {
	echo "**** proxies: $1; their tests are skipped ****" >&2
	[ "${CHSKD_REQUIRE_PROXIES:-}" = 1 ] && exit 1
	exit 0
}

wanted=""
for proxy in nginx haproxy caddy; do
	command -v "$proxy" >/dev/null || wanted="$wanted $proxy"
done

if [ -n "$wanted" ]; then
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
		lack "needs$wanted, which only root may install on Debian"

	# Their packages start them at once, at ports that are somebody's. A policy-rc.d that is there
	# already knows better.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
		trap 'rm -f "$policy"' EXIT
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q && apt-get install -q -y --no-install-recommends $wanted ||
		lack "cannot install$wanted"
fi
