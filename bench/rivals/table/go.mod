module github.com/chskd/chskd/bench/rivals/table

go 1.26.8
