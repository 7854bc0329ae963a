// Command gobwas serves what `chskd bench idle|ping|broadcast` asks for with gobwas/ws, which leaves
// connections to the program: upgrades on the bare connection without net/http, and frames that are
// compiled once. With -epoll the connections have no goroutine and no buffer, one epoll loop reads
// them, as the library's author describes it for millions of them; else each has a goroutine.
package main

import (
	"flag"
	"log"
	"net"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/chskd/chskd/bench/rivals/wire"
)

var everyone wire.Everyone[net.Conn]

func main() {
	epoll := flag.Bool("epoll", false, "No goroutine a connection: one epoll loop")
	flag.Parse()
	serve := func(c net.Conn) { go read(c) }
	if *epoll {
		p, err := newPoller()
		if err != nil {
			log.Fatal(err)
		}
		go p.run()
		serve = p.add
	}
	l := wire.Listen()
	for {
		conn, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go upgrade(conn, serve)
	}
}

func upgrade(conn net.Conn, serve func(net.Conn)) {
	if _, err := ws.Upgrade(conn); err != nil {
		_ = conn.Close() // nothing else to do with it
		return
	}
	write(conn, []byte(wire.Hello))
	everyone.Add(conn)
	serve(conn)
}

func read(conn net.Conn) {
	for readOne(conn) {
	}
}

// readOne reads one message and answers it; false if the connection has ended.
func readOne(conn net.Conn) bool {
	message, err := wsutil.ReadClientText(conn)
	if err != nil {
		everyone.Remove(conn)
		_ = conn.Close() // it failed already
		return false
	}
	answer, all, ok := wire.React(nil, message)
	switch {
	case ok && all:
		frame := ws.MustCompileFrame(ws.NewTextFrame(answer))
		everyone.Each(func(c net.Conn) { _, _ = c.Write(frame) })
	case ok:
		write(conn, answer)
	}
	return true
}

// write sends one message in one write; an error shows at the next read.
func write(conn net.Conn, message []byte) {
	_, _ = conn.Write(ws.MustCompileFrame(ws.NewTextFrame(message)))
}
