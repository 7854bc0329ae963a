package engine

import (
	"fmt"
	"net/url"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/wsframe"
)

const (
	anEvent = `[[:a/b 1] nil]`
	aPing   = `[[:chsk/ws-ping] "p"]`
)

// closedWith says what close code a conn was sent, 0 for none.
func closedWith(s *plainSock) int {
	at := strings.Index(string(s.out), "\x88")
	if at < 0 || len(s.out) < at+4 {
		return 0
	}
	return int(s.out[at+2])<<8 | int(s.out[at+3])
}

func TestEventsPerSecondDrop(t *testing.T) {
	r := newLimitRig(t, func(o *Options) { o.Limits.EventsPerSecond = 3 })
	alive := r.old("192.0.2.2")
	s := r.ws("192.0.2.1")
	s.said()
	for range 5 {
		r.give(s, text(anEvent))
	}
	if r.ear.events != 3 || r.m.EventsLimited.Load() != 2 {
		t.Fatalf("%d events arrived, %d were dropped", r.ear.events, r.m.EventsLimited.Load())
	}
	r.give(s, text(`[[:a/b 1] "cb"]`))
	if got := s.said(); !strings.Contains(got, `[:chsk/error "cb"]`) {
		t.Fatalf("a callback over the limit is told %q", got)
	}
	r.give(s, text(`not edn )`)+text(`[1`))
	r.advance(1000)
	for range 5 {
		r.give(s, text(anEvent))
	}
	if r.ear.events != 6 || s.closed {
		t.Fatalf("%d events after a second", r.ear.events)
	}
	alive()
}

func TestEventsPerSecondClose(t *testing.T) {
	r := newLimitRig(t, func(o *Options) {
		o.Limits.EventsPerSecond, o.Limits.OnEventLimit = 2, LimitClose
	})
	alive := r.old("192.0.2.2")
	for name, what := range map[string]string{
		"events":            text(anEvent),
		"what is no event":  text(`[[1 2] nil]`),
		"what is no edn":    text(`[[`),
		"bytes":             frame(true, wsframe.Binary, anEvent),
		"pings of the app":  text(aPing),
		"pings":             frame(true, wsframe.Ping, "x"),
		"events, then ping": text(anEvent) + text(anEvent) + text(anEvent),
	} {
		t.Run(name, func(t *testing.T) {
			s := r.ws("192.0.2.1")
			s.said()
			r.give(s, what)
			r.give(s, what)
			r.give(s, what)
			r.give(s, what)
			if got := closedWith(s); got != 1008 {
				t.Errorf("closed with %d: %q", got, s.out)
			}
		})
	}
	alive()
	if r.m.LimitCloses.Load() != 7 {
		t.Errorf("%d closes are counted", r.m.LimitCloses.Load())
	}
}

// TestOwnKeepAlive: a client that does no more than keep itself alive, or uses its limit to
// the full and does that besides, is never closed and loses nothing.
func TestOwnKeepAlive(t *testing.T) {
	for _, limit := range []int{1, 3} {
		r := newLimitRig(t, func(o *Options) {
			o.Limits.EventsPerSecond, o.Limits.OnEventLimit = limit, LimitClose
			o.Limits.EventBytesPerSecond = len(anEvent) * limit
			o.Limits.MessageBytes = 100
		})
		s := r.ws("192.0.2.1")
		s.said()
		pongs := 0
		for i := range 100 {
			r.give(s, text(aPing)+frame(true, wsframe.Ping, strings.Repeat("x", 20))+text(`[[:chsk/ws-pong] nil]`))
			for range limit {
				r.give(s, text(anEvent))
			}
			if strings.Contains(s.said(), `["pong" "p"]`) {
				pongs++
			}
			if s.closed || s.fin {
				t.Fatalf("closed in second %d", i)
			}
			r.advance(1000)
		}
		if r.ear.events != 100*limit || pongs != 100 {
			t.Errorf("limit %d: %d events, %d pongs", limit, r.ear.events, pongs)
		}
	}
}

func TestEventBytesPerSecond(t *testing.T) {
	r := newLimitRig(t, func(o *Options) {
		o.Limits.EventBytesPerSecond, o.Limits.MessageBytes = 100, 1000
	})
	s := r.ws("192.0.2.1")
	long := text(`[[:a/b "` + strings.Repeat("x", 900) + `"] nil]`)
	r.give(s, long) // one of any length that is allowed
	r.give(s, text(anEvent))
	r.give(s, long)
	if r.ear.events != 2 {
		t.Fatalf("%d events", r.ear.events)
	}
	r.advance(9000)
	r.give(s, long)
	if r.ear.events != 3 {
		t.Fatalf("%d events after the time of a long one", r.ear.events)
	}
}

// TestEventBytesDeflated: what counts is the longer of what came and what it says.
func TestEventBytesDeflated(t *testing.T) {
	r := newLimitRig(t, func(o *Options) {
		o.Limits.EventBytesPerSecond, o.Limits.MessageBytes = 1, 10_000
	})
	s := r.dial("192.0.2.1")
	p := packer.EDN.Gzip()
	r.give(s, strings.Replace(r.wsRequest(), "/chsk?", "/chsk/"+p.String()+"?", 1))
	r.is(s, 101)
	message := frame(true, opcode(p), simPack(t, p, `[[:a/b "`+strings.Repeat("x", 8000)+`"] nil]`))
	r.give(s, message)
	r.give(s, message)
	if r.ear.events != 1 {
		t.Errorf("%d events", r.ear.events)
	}
}

func TestEventsOverAjax(t *testing.T) {
	for policy, want := range map[OnLimit][2]string{
		LimitDrop:  {"[:chsk/dummy-cb-200 nil]", "[:chsk/error nil]"},
		LimitClose: {"[:chsk/error nil]", "[:chsk/error nil]"},
	} {
		r := newLimitRig(t, func(o *Options) {
			o.Limits.EventsPerSecond, o.Limits.OnEventLimit = 2, policy
		})
		udt := 0
		send := func(client, message string) string {
			t.Helper()
			udt++
			s := r.dial("192.0.2.1")
			body := url.Values{"ppstr": {message}}.Encode()
			r.give(s, fmt.Sprintf("POST /chsk?client-id=%s&udt=%d HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"+
				"Content-Type: application/x-www-form-urlencoded\r\n\r\n%s", client, udt, len(body), body))
			if message != anEvent && len(s.out) == 0 {
				return "" // waits for its reply
			}
			r.is(s, 200)
			_, answer, _ := strings.Cut(string(s.out), "\r\n\r\n")
			return answer
		}
		const dummy = "[:chsk/dummy-cb-200 nil]"
		for i := range 2 {
			if got := send("a", anEvent); got != dummy {
				t.Fatalf("send %d: %q", i, got)
			}
		}
		if got := send("a", anEvent); got != want[0] {
			t.Errorf("policy %v, over the limit: %q, want %q", policy, got, want[0])
		}
		if got := send("a", `[[:a/b 2] :ajax]`); got != want[1] {
			t.Errorf("policy %v, over the limit with a callback: %q, want %q", policy, got, want[1])
		}
		if got := send("b", anEvent); got != dummy {
			t.Errorf("another client: %q", got)
		}
		r.advance(500)
		if got := send("a", anEvent); got != dummy || r.ear.events != 4 {
			t.Errorf("after its time: %q, %d events", got, r.ear.events)
		}
		if r.m.EventsLimited.Load() != 2 {
			t.Errorf("%d are counted", r.m.EventsLimited.Load())
		}
	}
}

func TestFramesOfAMessage(t *testing.T) {
	for _, c := range []struct {
		name, first, more string
		n, want           int
	}{
		{"as many as it may", frame(false, wsframe.Text, ""), frame(false, wsframe.Continuation, "a"), 9, 0},
		{"one more", frame(false, wsframe.Text, ""), frame(false, wsframe.Continuation, "a"), 10, 1008},
		{"endless empty ones", frame(false, wsframe.Text, ""), frame(false, wsframe.Continuation, ""), 500, 1008},
		{"pings in between", frame(false, wsframe.Text, ""), frame(true, wsframe.Ping, ""), 10, 1008},
		{"pongs in between", frame(false, wsframe.Text, ""), frame(true, wsframe.Pong, "x"), 10, 1008},
		{"pings outside of a message", text(anEvent), frame(true, wsframe.Ping, ""), 100, 0},
		{"messages", text(anEvent), text(anEvent), 100, 0},
	} {
		for _, together := range []bool{true, false} {
			t.Run(c.name, func(t *testing.T) {
				r := newLimitRig(t, func(o *Options) { o.Limits.Frames = 10 })
				alive := r.old("192.0.2.2")
				s := r.ws("192.0.2.1")
				s.said()
				if together {
					r.give(s, c.first+strings.Repeat(c.more, c.n))
				} else {
					r.give(s, c.first)
					for range c.n {
						r.give(s, c.more)
					}
				}
				if got := closedWith(s); got != c.want {
					t.Errorf("closed with %d, want %d: %q", got, c.want, s.out)
				}
				alive()
			})
		}
	}
}

// TestPeerThatDoesNotRead: what a peer makes us say while it does not read is bounded.
func TestPeerThatDoesNotRead(t *testing.T) {
	for name, what := range map[string]string{
		"pings":                 frame(true, wsframe.Ping, strings.Repeat("x", 125)),
		"pings of the app":      text(aPing),
		"callbacks, no backend": text(`[[:a/b 1] "` + strings.Repeat("c", 900) + `"]`),
	} {
		t.Run(name, func(t *testing.T) {
			r := newLimitRig(t, func(o *Options) {
				o.Limits.OutBytes, o.Limits.MessageBytes, o.Limits.Callbacks = 4096, 8192, 4
			})
			alive := r.old("192.0.2.2")
			s := r.ws("192.0.2.1")
			s.said()
			s.full = true
			for range 5000 {
				r.give(s, what)
				if n := s.OutboundBuffered(); n > 2*4096+8192+2000 {
					t.Fatalf("%d bytes wait", n)
				}
			}
			alive()
			if name == "callbacks, no backend" {
				if !s.closed || r.m.StallCloses.Load() != 1 {
					t.Error("it is not closed")
				}
				return
			}
			if s.closed {
				t.Fatal("it is closed")
			}
			// When it reads again it is answered again.
			s.full, s.held = false, nil
			r.give(s, what)
			if got := s.said(); len(got) == 0 {
				t.Error("it is never answered again")
			}
		})
	}
}

// TestLimitsAllocateNothing: events, pings and refusals of a client that has limits.
func TestLimitsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	r := newLimitRig(t, func(o *Options) {
		o.Limits.EventsPerSecond, o.Limits.EventBytesPerSecond = 50, 5000
	})
	s := r.ws("192.0.2.1")
	in := make([]byte, 0, 4096)
	feed := func(what string) func() {
		return func() {
			r.tick += 7 // some pass, some do not
			s.in = append(in[:0], what...)
			r.onTraffic(s.c.slot)
			r.turns()
			s.out = s.out[:0]
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for name, work := range map[string]func(){
		"event":            feed(text(anEvent)),
		"event in pieces":  feed(frame(false, wsframe.Text, anEvent[:5]) + frame(true, wsframe.Continuation, anEvent[5:])),
		"ping of the app":  feed(text(aPing)),
		"ping":             feed(frame(true, wsframe.Ping, "x")),
		"a frame of bytes": feed(frame(true, wsframe.Binary, anEvent)),
	} {
		for range 100 {
			work()
		}
		if n := testing.AllocsPerRun(300, work); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if r.m.EventsLimited.Load() == 0 || r.ear.events == 0 {
		t.Error("not both happened")
	}
}
