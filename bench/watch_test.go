package bench_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/chskd/chskd/bench"
)

// Who is in which topic follows from a rule; counted one by one it is the same.
func TestMembership(t *testing.T) {
	for _, c := range []struct{ conns, topics, each int }{
		{10, 1, 1}, {10, 3, 1}, {3, 10, 1}, {100, 10, 3}, {100, 10, 10}, {7, 5, 2}, {50, 7, 3},
	} {
		members := make([]int, c.topics)
		for number := range c.conns {
			in := bench.TopicsOf(c.topics, c.each, number)
			seen := make(map[int]bool)
			for place, topic := range in {
				seen[topic] = true
				members[topic]++
				if got := bench.PlaceOf(c.topics, c.each, number, topic); got != place {
					t.Fatalf("%+v: topic %d is the %d-th of %d, not the %d-th", c, topic, place, number, got)
				}
			}
			if len(seen) != c.each {
				t.Fatalf("%+v: %d is in %v", c, number, in)
			}
			for topic := range c.topics {
				if got := bench.PlaceOf(c.topics, c.each, number, topic); !seen[topic] && got >= 0 {
					t.Fatalf("%+v: %d is not in topic %d", c, number, topic)
				}
			}
		}
		for topic, want := range members {
			if got := bench.MembersOf(c.topics, c.each, topic, c.conns); got != want {
				t.Errorf("%+v: topic %d has %d members, not %d", c, topic, want, got)
			}
		}
	}
	if bench.PlaceOf(3, 1, 0, 5) >= 0 {
		t.Error("a topic that does not exist has members")
	}
}

// What a client misses is told apart by why: only what the server promised to keep is lost.
func TestWatchOfAbsences(t *testing.T) {
	cases := []struct {
		name                 string
		numbers              []uint32 // 0 = comes back after a time that the server does not keep
		resets               []uint32 // 0 = comes back after a reset
		lost, outside, reset int64
		doubled              int64
	}{
		{"nothing is missing after a return", []uint32{1, 2, 0, 3, 4, 5}, nil, 0, 0, 0, 0},
		{"what was pushed meanwhile", []uint32{1, 2, 0, 5}, nil, 0, 2, 0, 0},
		{"then again, but in the window", []uint32{1, 0, 3, 5}, nil, 1, 1, 0, 0},
		{"never anything again", []uint32{1, 2, 0}, nil, 0, 3, 0, 0},
		{"never anything again, without a reason", []uint32{1, 2}, nil, 3, 0, 0, 0},
		{"in flight at a reset", nil, []uint32{1, 2, 0, 4, 5}, 0, 0, 1, 0},
		{"again after a reset", nil, []uint32{1, 2, 0, 1, 2, 3, 4, 5}, 0, 0, 0, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			lost, outside, reset, doubled := bench.WatchAbsences(5, c.numbers, c.resets)
			if lost != c.lost || outside != c.outside || reset != c.reset || doubled != c.doubled {
				t.Errorf("lost %d, outside %d, at resets %d, doubled there %d", lost, outside, reset, doubled)
			}
		})
	}
}

func TestParseAnswer(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nDate: x\r\n"
	body, last, n, err := bench.ParseAnswer([]byte(head + "\r\nHelloHTTP"))
	if string(body) != "Hello" || last || n != len(head)+7 || err != nil {
		t.Errorf("%q %v %d %v", body, last, n, err)
	}
	if _, last, _, _ := bench.ParseAnswer([]byte(head + "Connection: close\r\n\r\nHello")); !last {
		t.Error("Connection: close is not seen")
	}
	for cut := range len(head) + 7 {
		if _, _, _, err := bench.ParseAnswer([]byte(head + "\r\nHello")[:cut]); !errors.Is(err, bench.ErrShort) {
			t.Fatalf("first %d bytes: %v, want ErrShort", cut, err)
		}
	}
	for _, c := range []struct{ name, in, err string }{
		{"403", "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nBad", `403 Forbidden: "Bad"`},
		{"RFC 9112 §6.3 no length", "HTTP/1.1 200 OK\r\n\r\n", "without Content-Length"},
		{"RFC 9110 §8.6 length", "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", "wrong Content-Length"},
		{"huge", "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "99999999"},
		{"not HTTP", "SSH-2.0-OpenSSH", "not an HTTP"},
		{"endless head", "HTTP/1.1 200 X\r\nA: " + strings.Repeat("a", 20<<10), "over"},
	} {
		if _, _, _, err := bench.ParseAnswer([]byte(c.in)); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.err)
		}
	}
}
