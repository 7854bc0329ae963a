module github.com/chskd/chskd/bench/rivals/coder

go 1.26.8

require (
	github.com/chskd/chskd/bench/rivals/wire v0.0.0
	github.com/coder/websocket v1.8.15
)

replace github.com/chskd/chskd/bench/rivals/wire => ../wire
