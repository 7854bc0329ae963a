module github.com/chskd/chskd/bench/rivals/nchan/adapter

go 1.26.8
