# Makes tables of benchstat's csv: a table per benchmark, a row per format or library, and for each
# size the time with its confidence interval, the throughput, and the allocations.
BEGIN { FS = ","; sizes = split("90B 2KB 100KB", size, " ") }

$2 == "sec/op" || $2 == "B/s" || $2 == "B/op" || $2 == "allocs/op" { unit = $2; next }

$1 ~ /\/size=/ {
	name = $1
	sub(/-[0-9]+$/, "", name)
	at = index(name, "/size=")
	row = substr(name, 1, at - 1)
	if (!(row in seen)) { seen[row] = 1; rows[++n] = row }
	value[row, substr(name, at + 6), unit] = $2
	spread[row, substr(name, at + 6), unit] = $3
}

function short(seconds) {
	if (seconds < 1e-6) return sprintf("%.0f ns", seconds * 1e9)
	if (seconds < 1e-5) return sprintf("%.2f µs", seconds * 1e6)
	if (seconds < 1e-4) return sprintf("%.1f µs", seconds * 1e6)
	if (seconds < 1e-3) return sprintf("%.0f µs", seconds * 1e6)
	return sprintf("%.2f ms", seconds * 1e3)
}

END {
	for (i = 1; i <= n; i++) {
		row = rows[i]
		slash = index(row, "/")
		table = substr(row, 1, slash - 1)
		if (table != last) {
			last = table
			printf "\n%s\n\n|  ", table
			for (s = 1; s <= sizes; s++) printf "| %s | MB/s | allocs ", size[s]
			printf "|\n|---"
			for (s = 1; s <= sizes; s++) printf "|---:|---:|---:"
			print "|"
		}
		printf "| %s ", substr(row, slash + 1)
		for (s = 1; s <= sizes; s++) {
			printf "| %s ± %s | %.0f | %d ", short(value[row, size[s], "sec/op"]),
				spread[row, size[s], "sec/op"], value[row, size[s], "B/s"] / 1e6,
				value[row, size[s], "allocs/op"]
		}
		print "|"
	}
}
