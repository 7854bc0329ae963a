#!/bin/sh
# Installs what the browser tests need: node, npm, Chromium, and python3 and curl for a new user's
# way, from Debian's packages where this user may do that, and playwright-core at the version of
# package-lock.json. What is there already is left alone. Where something cannot be had it says so
# and ends well, so that the other tests run; with CHSKD_REQUIRE_BROWSER=1 it fails.
set -eu
cd "$(dirname "$0")"

lack() {
	echo "**** browser test: $1 ****" >&2
	[ "${CHSKD_REQUIRE_BROWSER:-}" = 1 ] && exit 1
	exit 0
}

wanted=""
command -v node >/dev/null || wanted="$wanted nodejs"
command -v npm >/dev/null || wanted="$wanted npm"
command -v python3 >/dev/null || wanted="$wanted python3"
command -v curl >/dev/null || wanted="$wanted curl"
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || wanted="$wanted chromium"

if [ -n "$wanted" ]; then
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
		lack "needs$wanted, which only root may install on Debian"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q && apt-get install -q -y --no-install-recommends $wanted ||
		lack "cannot install$wanted"
fi

locked=$(node -p "require('./package-lock.json').packages['node_modules/playwright-core'].version")
present=$(node -p "require('./node_modules/playwright-core/package.json').version" 2>/dev/null || true)
if [ "$locked" != "$present" ]; then
	npm ci --no-audit --no-fund || lack "cannot install playwright-core $locked"
fi
