module github.com/chskd/chskd/bench/rivals/gorilla

go 1.26.8

require (
	github.com/chskd/chskd/bench/rivals/wire v0.0.0
	github.com/gorilla/websocket v1.5.3
)

replace github.com/chskd/chskd/bench/rivals/wire => ../wire
