package client_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/chskd/chskd/client"
)

// worker is a backend in a process of its own, for tests that kill it: it acks by itself, and says
// what it has done.
func worker(path string) {
	if path, ok := strings.CutPrefix(path, "listen "); ok {
		listen(path)
		return
	}
	c, err := client.Dial(context.Background(), path, client.Options{})
	if err != nil {
		fmt.Println("worker:", err)
		os.Exit(1)
	}
	for e, err := range c.Events(context.Background(), client.Subscription{Ack: client.AckAuto}) {
		switch {
		case err != nil:
			fmt.Println("worker:", err)
			os.Exit(1)
		case e.Kind == client.Message:
			var n int
			if err := e.Decode(&n); err != nil {
				fmt.Println("worker:", err)
				os.Exit(1)
			}
			fmt.Println("done", e.UID, n, e.Redelivered)
		}
	}
}

// listen is a server of another user, that answers as chskd does.
func listen(path string) {
	l, err := net.Listen("unix", path)
	if err != nil {
		os.Exit(1)
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		if _, err := io.WriteString(conn, `{"type":"result","ref":"hello"}`+"\n"); err != nil {
			conn.Close()
		}
	}
}
