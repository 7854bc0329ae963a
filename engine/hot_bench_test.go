package engine

import (
	"bytes"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/chskd/chskd/internal/count"
	"github.com/chskd/chskd/packer"
)

// The hot paths between clients and backends, over the network that takes everything.

// askedBackend takes all events and remembers what to reply to.
type askedBackend struct {
	deafBackend
	replyTo []byte
}

func (a *askedBackend) Event(_, _ []byte, _ bool, _ []byte, _ bool, _ packer.Format, _ []byte, _ bool,
	replyTo []byte, _ time.Time) Verdict {
	a.replyTo = append(a.replyTo[:0], replyTo...)
	return Taken
}

// BenchmarkEventIn is an event of a client up to the backend's interface; with limits each event
// is counted against its client's rates, too.
func BenchmarkEventIn(b *testing.B) {
	for _, c := range []struct {
		name   string
		limits Limits
	}{
		{"no limits", Limits{}},
		{"limits", Limits{EventsPerSecond: 1 << 20, EventBytesPerSecond: 1 << 30}},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := newHotLoopWith(b, deafBackend{}, func(o *Options) {
				o.Limits.EventsPerSecond = c.limits.EventsPerSecond
				o.Limits.EventBytesPerSecond = c.limits.EventBytesPerSecond
			})
			s := h.connect(b, packer.EDN.Packer(), 1)
			frame := clientFrame(b, packer.EDN.Packer(), `[[:chat/send {:text "hello", :n 17}] nil]`)
			scratch := make([]byte, 0, 256)
			for loop := count.Loop(b, 1000); loop.Next(); {
				h.now++
				h.feed(s, frame, scratch)
			}
		})
	}
}

// BenchmarkEchoReply is an event with a callback, the backend's reply, and its way back to
// the client.
func BenchmarkEchoReply(b *testing.B) {
	app := &askedBackend{}
	h := newHotLoopWith(b, app, func(*Options) {})
	s := h.connect(b, packer.EDN.Packer(), 1)
	frame := clientFrame(b, packer.EDN.Packer(), `[[:chat/send {:text "hello", :n 17}] "a1b2c3"]`)
	scratch := make([]byte, 0, 256)
	value := []byte(`{:text "hello", :n 17}`)
	for loop := count.Loop(b, 1000); loop.Next(); {
		h.now++
		h.feed(s, frame, scratch)
		h.eng.Reply(&Reply{Token: string(app.replyTo), Value: value}, func(_ int, err error) {
			if err != nil {
				b.Fatal(err)
			}
		})
		h.turns()
	}
}

// BenchmarkTargetedPush is a push to one of 1,000 users: one event a frame when each has a
// flush window of its own, or 20 in one window.
func BenchmarkTargetedPush(b *testing.B) {
	const users = 1000
	for _, batch := range []int{1, 20} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			h := newHotLoop(b)
			pushes := make([]*Push, users)
			for i := range pushes {
				h.connect(b, packer.EDN.Packer(), i)
				pushes[i] = &Push{UIDs: []string{clientName(i)},
					Event: []byte(`[:chat/message {:text "hello", :n 17}]`)}
			}
			i := 0
			for loop := count.Loop(b, 2000/batch); loop.Next(); i++ {
				to := pushes[i*7919%users]
				for range batch {
					h.eng.Push(to, nil)
				}
				h.turns()
				h.now += 40
				h.turn() // what waited for the flush leaves
				h.turns()
			}
		})
	}
}

// numbered is a request whose first 13 zeros are its number, which request sets: a browser's own
// replay has the same, so each has another.
type numbered struct {
	text, scratch []byte
	at            int
}

func newNumbered(text []byte) *numbered {
	return &numbered{text: text, scratch: make([]byte, len(text)),
		at: bytes.Index(text, []byte("0000000000000"))}
}

// request gives request number n to s and runs what follows from it.
func (q *numbered) request(h *hotLoop, s *sinkSock, n int) {
	copy(q.scratch, q.text)
	for at := q.at + 12; at >= q.at; at, n = at-1, n/10 {
		q.scratch[at] = byte('0' + n%10)
	}
	s.in = q.scratch
	h.onTraffic(s.c.slot)
	h.turns()
}

// BenchmarkPoll is a long poll that is parked, and answered with a push; its client comes back
// on the same connection.
func BenchmarkPoll(b *testing.B) {
	h := newHotLoop(b)
	s := &sinkSock{}
	if !h.open(s) {
		b.Fatal("refused")
	}
	ask := func(rest string) *numbered {
		return newNumbered(fmt.Appendf(nil, "GET /chsk?udt=0000000000000&client-id=%s%s HTTP/1.1\r\n"+
			"Host: 127.0.0.1:8080\r\nConnection: keep-alive\r\nx-requested-with: XMLHTTPRequest\r\n"+
			"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\n"+
			"Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n\r\n",
			clientName(1), rest))
	}
	n := 1
	ask("&handshake%3F=true").request(h, s, n)
	again := ask("")
	p := &Push{UIDs: []string{clientName(1)}, Event: []byte(`[:chat/message {:text "hello", :n 17}]`)}
	for loop := count.Loop(b, 500); loop.Next(); {
		n++
		again.request(h, s, n)
		if s.c.state != sWait {
			b.Fatal("the poll was not parked")
		}
		h.now += 200
		h.eng.Push(p, nil)
		h.turns()
		if s.c.state == sWait {
			b.Fatal("the poll was not answered")
		}
	}
}

// BenchmarkPost is an Ajax send without callback, up to the backend's interface and its answer.
func BenchmarkPost(b *testing.B) {
	h := newHotLoop(b)
	s := &sinkSock{}
	if !h.open(s) {
		b.Fatal("refused")
	}
	body := fmt.Appendf(nil, "udt=0000000000000&client-id=%s&ppstr=%s", clientName(1),
		url.QueryEscape(`[[:chat/send {:text "hello", :n 17}] nil]`))
	post := newNumbered(append(fmt.Appendf(nil, "POST /chsk HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"+
		"Connection: keep-alive\r\nContent-Type: application/x-www-form-urlencoded;charset=UTF-8\r\n"+
		"Content-Length: %d\r\nx-requested-with: XMLHTTPRequest\r\n"+
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\n"+
		"Accept-Language: en-US,en;q=0.9\r\n\r\n", len(body)), body...))
	n := 0
	for loop := count.Loop(b, 1000); loop.Next(); {
		n++
		h.now += 20
		post.request(h, s, n)
		if s.c.state == sWait {
			b.Fatal("the send was not answered")
		}
	}
}
