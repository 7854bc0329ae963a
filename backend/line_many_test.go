package backend_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
)

// A peer that does not read its answers is in nobody's way.
func TestLineNeighbours(t *testing.T) {
	r := newRig(t, backend.HubOptions{}, backend.Options{Stall: patience})
	deaf := r.speak()
	go func() {
		ask := strings.Repeat(`{"op":"connected","uid":"alice","ref":"`+strings.Repeat("r", 60)+`"}`+"\n", 100)
		for {
			if _, err := io.WriteString(deaf.conn, ask); err != nil {
				return // the test is over
			}
		}
	}()
	s := r.speak()
	for i := range 2000 {
		s.say(`{"op":"push","uid":"a","event":["a/b"],"ref":%d,"count":true}`, i)
		if got := s.next(); string(got.Ref) != fmt.Sprint(i) || got.Sessions == nil {
			t.Fatalf("push %d: %s", i, got.text)
		}
	}
	deaf.close()
}

// Producers, consumers, acks and a shutdown at the same time: whatever is answered is answered
// once, and everything ends. (What the race detector is for.)
func TestLinesAllAtOnce(t *testing.T) {
	r := newRig(t, backend.HubOptions{QueueEvents: 100}, backend.Options{})
	var all sync.WaitGroup
	for p := range 4 {
		all.Go(func() { produce(t, r, p) })
		all.Go(func() { consume(t, r) })
	}
	stop := make(chan struct{})
	all.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				r.event(fmt.Sprint("u", i%50), fmt.Sprintf("[:a/b %d]", i), "")
				r.presence(i%2 == 0, fmt.Sprint("u", i/2%50))
			}
		}
	})
	eventually(t, "pushes", func() bool { return len(r.engine.pushed()) > 2000 })
	ctx, cancel := contextOf(patience)
	defer cancel()
	if err := r.server.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	close(stop)
	all.Wait()
}

// produce pushes until the connection ends; answers must come once each.
func produce(t *testing.T, r *rig, p int) {
	conn, err := r.dial()
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	go func() {
		for i := 0; ; i++ {
			_, err := fmt.Fprintf(conn, `{"op":"push","uid":"u%d","event":["a/b"],"producer":"p%d","n":%d,"ref":%d}`+"\n",
				i%50, p, i+1, i)
			if err != nil {
				return
			}
		}
	}()
	eachLine(t, conn, func(n int, text string) bool {
		return text == fmt.Sprintf(`{"type":"result","ref":%d,"status":"ok"}`, n)
	})
}

// consume reads a stream and acks it.
func consume(t *testing.T, r *rig) {
	conn, err := r.dial()
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	fmt.Fprintln(conn, `{"op":"subscribe","ack":true,"presence":true}`)
	hello := line{}
	eachLine(t, conn, func(n int, text string) bool {
		l, err := decodeLine(text)
		if n == 0 {
			hello = l
		}
		if l.Seq > 0 && n%10 == 0 {
			fmt.Fprintf(conn, `{"op":"ack","epoch":"%s","consumer":"%s","seq":%d}`+"\n", hello.Epoch, hello.Consumer, l.Seq)
		}
		return err == nil && (l.Type != "error" || l.Code == "stale_ack")
	})
}

// eachLine reads until the daemon says that it goes down.
func eachLine(t *testing.T, conn net.Conn, ok func(n int, text string) bool) {
	in := bufio.NewReader(conn)
	for n := 0; ; n++ {
		conn.SetReadDeadline(time.Now().Add(patience))
		text, err := in.ReadString('\n')
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
				t.Error(err)
			}
			return
		}
		text = strings.TrimSuffix(text, "\n")
		if !strings.Contains(text, `"code":"draining"`) && !ok(n, text) {
			t.Errorf("line %d: %s", n, text)
			return
		}
	}
}
