#!/bin/sh
# Installs what the examples need beside Go: python3, and clojure with a Java of 16 or newer, from
# Debian's packages where this user may do that. What is there already is left alone. Where something
# cannot be had it says so and ends well, so that the other tests run; with CHSKD_REQUIRE_EXAMPLES=1
# it fails.
set -eu

lack() {
	echo "**** examples: $1; the tests of those examples are skipped ****" >&2
	[ "${CHSKD_REQUIRE_EXAMPLES:-}" = 1 ] && exit 1
	exit 0
}

wanted=""
command -v python3 >/dev/null || wanted="$wanted python3"
command -v clojure >/dev/null || wanted="$wanted clojure"

if [ -n "$wanted" ]; then
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
		lack "need$wanted, which only root may install on Debian"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q && apt-get install -q -y --no-install-recommends $wanted ||
		lack "cannot install$wanted"
fi
