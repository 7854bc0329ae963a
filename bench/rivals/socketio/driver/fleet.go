package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// fleet is the connections, and what getting them cost the server.
type fleet struct {
	o          *options
	url        string
	conns      []*client
	handshakes cost
	used       usage
}

// client is one connection; its goroutine reads, and answers the server's heartbeats.
type client struct {
	net.Conn
	mu    sync.Mutex // one writer at a time
	ready chan error // nil once the namespace is joined
	acked chan struct{}

	acks   atomic.Int64
	events atomic.Int64
	wrong  atomic.Int64 // events that were not the next one
}

// connect opens n more connections, 64 at a time.
func (f *fleet) connect(n int) error {
	used, err := measure(f.o.pid, func() error {
		more := make([]*client, n)
		errs := make([]error, n)
		slots := make(chan struct{}, 64)
		var wg sync.WaitGroup
		for i := range n {
			slots <- struct{}{}
			wg.Go(func() {
				more[i], errs[i] = f.open()
				<-slots
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		f.conns = append(f.conns, more...)
		return nil
	})
	f.used.add(used)
	f.handshakes = newCost(f.used, int64(len(f.conns)))
	return err
}

// open connects, which in Socket.IO is the WebSocket, its `open` packet, and the join of the main
// namespace with its answer.
func (f *fleet) open() (*client, error) {
	ctx, cancel := context.WithTimeout(context.Background(), f.o.limits)
	defer cancel()
	d := ws.Dialer{ReadBufferSize: 512, WriteBufferSize: 512}
	conn, br, _, err := d.Dial(ctx, f.url)
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // so that its port is free for the next run at once
	}
	c := &client{Conn: conn, ready: make(chan error, 1), acked: make(chan struct{}, 1)}
	if br == nil {
		br = bufio.NewReaderSize(conn, 256)
	}
	go c.read(br)
	select {
	case err := <-c.ready:
		return c, err
	case <-ctx.Done():
		return nil, fmt.Errorf("no handshake: %w", ctx.Err())
	}
}

func (c *client) read(br *bufio.Reader) {
	for {
		h, err := ws.ReadHeader(br)
		if err != nil {
			break
		}
		b := make([]byte, h.Length)
		if _, err = io.ReadFull(br, b); err != nil || h.OpCode != ws.OpText {
			break
		}
		c.packet(string(b))
	}
	select {
	case c.ready <- fmt.Errorf("the connection has ended"):
	default:
	}
}

// packet takes one packet of Engine.IO 4 and Socket.IO 5.
func (c *client) packet(p string) {
	switch {
	case strings.HasPrefix(p, "0"):
		_ = c.send("40") // an error shows at the next read
	case strings.HasPrefix(p, "40"):
		c.ready <- nil
	case p == "2":
		_ = c.send("3")
	case strings.HasPrefix(p, "43"):
		c.acks.Add(1)
		c.acked <- struct{}{}
	case strings.HasPrefix(p, `42["n",[`):
		number, _, _ := strings.Cut(p[len(`42["n",[`):], ",")
		if n, err := strconv.ParseInt(number, 10, 64); err != nil || n != c.events.Add(1) {
			c.wrong.Add(1)
		}
	}
}

func (c *client) send(text string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return wsutil.WriteClientText(c.Conn, []byte(text))
}

// ask sends one event and waits for its acknowledgement.
func (c *client) ask(limit time.Duration) error {
	if err := c.send(`420["p"]`); err != nil {
		return err
	}
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-c.acked:
		return nil
	case <-late.C:
		return fmt.Errorf("no acknowledgement in %v", limit)
	}
}

func (f *fleet) acks() (n int64) {
	for _, c := range f.conns {
		n += c.acks.Load()
	}
	return n
}

func (f *fleet) events() (n, wrong int64) {
	for _, c := range f.conns {
		n += c.events.Load()
		wrong += c.wrong.Load()
	}
	return n, wrong
}

// await waits until each connection has had so many events.
func (f *fleet) await(count int64) error {
	deadline := time.Now().Add(f.o.limits)
	for _, c := range f.conns {
		for c.events.Load() < count {
			if time.Now().After(deadline) {
				return fmt.Errorf("events are missing after %v", f.o.limits)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	return nil
}
