#!/bin/sh
# Installs what the packers are tested against: Clojure with tools.reader and node from Debian's
# packages where this user may do that, and nbb, transit-js and @msgpack/msgpack at the versions of
# package-lock.json. What is there already is left alone. Where something cannot be had it says so
# and ends well, so that the other tests run; with CHSKD_REQUIRE_ORACLES=1 it fails.
set -eu
cd "$(dirname "$0")"

lack() {
	echo "**** packer/oracle: $1; tests that need it are skipped ****" >&2
	[ "${CHSKD_REQUIRE_ORACLES:-}" = 1 ] && exit 1
	exit 0
}

wanted=""
command -v node >/dev/null || wanted="$wanted nodejs"
command -v npm >/dev/null || wanted="$wanted npm"
[ -e /usr/share/java/clojure.jar ] || wanted="$wanted clojure"
[ -e /usr/share/java/tools.reader.jar ] || wanted="$wanted libtools-reader-clojure"

if [ -n "$wanted" ]; then
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
		lack "needs$wanted, which only root may install on Debian"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q && apt-get install -q -y --no-install-recommends $wanted ||
		lack "cannot install$wanted"
fi

# npm keeps a copy of the lock file in what it installed.
installed() {
	node -e '
		const of = (file) => JSON.parse(fs.readFileSync(file)).packages;
		const locked = of("package-lock.json"), present = of("node_modules/.package-lock.json");
		for (const name of Object.keys(locked))
			if (name && locked[name].version !== present[name]?.version) process.exit(1);
	' 2>/dev/null
}
installed || npm ci --no-audit --no-fund || lack "cannot install nbb, transit-js and @msgpack/msgpack"
