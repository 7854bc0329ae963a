module github.com/chskd/chskd/bench/rivals/gobwas

go 1.26.8

require (
	github.com/chskd/chskd/bench/rivals/wire v0.0.0
	github.com/gobwas/ws v1.5.0
)

require github.com/gobwas/httphead v0.1.0 // indirect

replace github.com/chskd/chskd/bench/rivals/wire => ../wire
