// Command gws serves what `chskd bench idle|ping|broadcast` asks for with lxzan/gws, as its README
// does: net/http for the upgrade, a goroutine that reads, and its Broadcaster, which makes the frame
// once. The read buffer is smaller than its 4 KB, for idle connections.
package main

import (
	"log"
	"net/http"

	"github.com/lxzan/gws"

	"github.com/chskd/chskd/bench/rivals/wire"
)

// handler is all connections' events.
type handler struct {
	gws.BuiltinEventHandler
	everyone wire.Everyone[*gws.Conn]
}

func main() {
	upgrader := gws.NewUpgrader(&handler{}, &gws.ServerOption{ReadBufferSize: 512})
	serve := func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r)
		if err != nil {
			return
		}
		go conn.ReadLoop()
	}
	log.Fatal(http.Serve(wire.Listen(), http.HandlerFunc(serve)))
}

func (h *handler) OnOpen(c *gws.Conn) {
	_ = c.WriteString(wire.Hello) // an error shows at the next read
	h.everyone.Add(c)
}

func (h *handler) OnClose(c *gws.Conn, _ error) { h.everyone.Remove(c) }

func (h *handler) OnMessage(c *gws.Conn, message *gws.Message) {
	defer message.Close()
	answer, all, ok := wire.React(nil, message.Bytes())
	switch {
	case ok && all:
		h.broadcast(answer)
	case ok:
		_ = c.WriteMessage(gws.OpcodeText, answer)
	}
}

func (h *handler) broadcast(message []byte) {
	b := gws.NewBroadcaster(gws.OpcodeText, message)
	defer b.Close()
	h.everyone.Each(func(c *gws.Conn) { _ = b.Broadcast(c) })
}
