#!/bin/sh
# Measures values and prints the tables of docs/benchmarks.md.
#
#   run.sh [COUNT [BENCHTIME]]      COUNT runs of each benchmark, 10 if not told, of BENCHTIME, 60ms
#
# The runs of a benchmark are spread over the whole time, so that a minute in which the machine does
# something else costs each of them one run. As root it takes real-time priority (chrt), because
# nothing else makes figures of a shared machine repeatable. What benchstat says of it is in
# values.txt beside this file, the raw output in values.raw.
set -eu
cd "$(dirname "$0")"
count=${1:-10}
time=${2:-60ms}
first=
if [ "$(id -u)" = 0 ] && chrt -f 50 true 2>/dev/null; then first="chrt -f 50"; fi

go test -c -o values.test .
./values.test -test.run .
: > values.raw
i=0
while [ "$i" -lt "$count" ]; do
	$first ./values.test -test.run '^$' -test.bench . -test.benchtime "$time" >> values.raw
	i=$((i + 1))
done
rm -f values.test
go tool benchstat values.raw > values.txt
go tool benchstat -format csv values.raw 2>/dev/null | awk -f tables.awk
