// Command coder serves what `chskd bench idle|ping|broadcast` asks for with coder/websocket. The
// library has no prepared messages, so that each delivery makes its frame. The handler returns, and
// another goroutine reads, because the one of net/http has a larger stack.
package main

import (
	"context"
	"log"
	"net/http"

	"github.com/coder/websocket"

	"github.com/chskd/chskd/bench/rivals/wire"
)

var everyone wire.Everyone[*websocket.Conn]

func main() {
	log.Fatal(http.Serve(wire.Listen(), http.HandlerFunc(serve)))
}

func serve(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	write(conn, []byte(wire.Hello))
	everyone.Add(conn)
	go read(conn)
}

func read(conn *websocket.Conn) {
	defer conn.CloseNow()
	defer everyone.Remove(conn)
	for {
		_, message, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		answer, all, ok := wire.React(nil, message)
		switch {
		case ok && all:
			everyone.Each(func(c *websocket.Conn) { write(c, answer) })
		case ok:
			write(conn, answer)
		}
	}
}

// write sends one message; an error shows at the next read.
func write(conn *websocket.Conn, message []byte) {
	_ = conn.Write(context.Background(), websocket.MessageText, message)
}
