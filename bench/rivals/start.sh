# What the start scripts share; they read it with `.`, after `cd` into their own folder. A script's
# first argument is the port. What it prints is for `eval`: pid (of the processes to measure, with
# commas), url, and stop (all processes to end); some say more.
#
#   PIN="taskset -c 0"   what to start the server by
#   OUT=DIR              where programs, logs and sockets go (default: bench/rivals/out)
set -eu
port=${1:?usage: run.sh PORT}
OUT=${OUT:-$(cd .. && pwd)/out}
mkdir -p "$OUT"

# build NAME: the Go program of this folder as $OUT/NAME.
build() { go build -o "$OUT/$1" . ; }

# launch NAME COMMAND...: starts it in the background on one core; its process is in $pid.
launch() {
	name=$1
	shift
	${PIN:-} env GOMAXPROCS=1 "$@" > "$OUT/$name.log" 2>&1 &
	pid=$!
}

# ready NAME: waits until the port is open, for 10 s.
ready() {
	i=0
	until (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do
		i=$((i + 1))
		if [ "$i" -ge 200 ] || ! kill -0 "$pid" 2> /dev/null; then
			echo "$1 does not start: $(tail -3 "$OUT/$1.log")" >&2
			exit 1
		fi
		sleep 0.05
	done
}

# told: what a caller needs.
told() { echo "pid=$pid url=ws://127.0.0.1:$port/chsk stop=$pid"; }
