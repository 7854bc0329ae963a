// Command gorilla serves what `chskd bench idle|ping|broadcast` asks for with gorilla/websocket, as
// its documentation advises for many connections: small buffers, a pool of write buffers, prepared
// messages, and a handler that returns (the goroutine of net/http has a larger stack).
package main

import (
	"log"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/chskd/chskd/bench/rivals/wire"
)

var (
	upgrader = websocket.Upgrader{
		ReadBufferSize: 512, WriteBufferSize: 512, WriteBufferPool: &sync.Pool{},
		CheckOrigin: func(*http.Request) bool { return true },
	}
	everyone wire.Everyone[*peer]
)

// peer is a connection with the lock that the library asks its users for: one writer at a time.
type peer struct {
	*websocket.Conn
	mu sync.Mutex
}

func main() {
	log.Fatal(http.Serve(wire.Listen(), http.HandlerFunc(serve)))
}

func serve(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	p := &peer{Conn: conn}
	p.write([]byte(wire.Hello))
	everyone.Add(p)
	go p.read()
}

func (p *peer) read() {
	defer p.Close()
	defer everyone.Remove(p)
	for {
		_, message, err := p.ReadMessage()
		if err != nil {
			return
		}
		answer, all, ok := wire.React(nil, message)
		switch {
		case ok && all:
			broadcast(answer)
		case ok:
			p.write(answer)
		}
	}
}

// write sends one message; an error shows at the next read.
func (p *peer) write(message []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.WriteMessage(websocket.TextMessage, message)
}

func broadcast(message []byte) {
	prepared, err := websocket.NewPreparedMessage(websocket.TextMessage, message)
	if err != nil {
		log.Fatal(err)
	}
	everyone.Each(func(p *peer) {
		p.mu.Lock()
		defer p.mu.Unlock()
		_ = p.WritePreparedMessage(prepared)
	})
}
