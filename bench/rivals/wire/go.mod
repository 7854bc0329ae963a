module github.com/chskd/chskd/bench/rivals/wire

go 1.26.8
