package main_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// ackLine is a line of a stream with acks.
type ackLine struct {
	Type        string `json:"type"`
	Epoch       string `json:"epoch"`
	Consumer    string `json:"consumer"`
	Seq         uint64 `json:"seq"`
	UID         string `json:"uid"`
	EDN         string `json:"edn"`
	Redelivered bool   `json:"redelivered"`
}

// acker is a consumer with acks.
type acker struct {
	*lineBackend
	d     *daemon
	hello ackLine
}

func subscribeAcks(t *testing.T, d *daemon) *acker {
	t.Helper()
	a := &acker{lineBackend: speakLines(t, d), d: d}
	a.say(`{"op":"subscribe","format":"edn","ack":true,"ref":1}`)
	a.want(`"ref":1`)
	a.hello = parseAckLine(t, a.next())
	return a
}

func parseAckLine(t *testing.T, line string) (l ackLine) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// number is which of its client's events this is.
func (l *ackLine) number(t *testing.T) int {
	t.Helper()
	if l.Type != "event" {
		t.Fatalf("instead of an event: %+v", l)
	}
	return numbersOf(t, []string{l.EDN})[0]
}

// ack acknowledges everything up to a line.
func (a *acker) ack(l ackLine) {
	a.t.Helper()
	apiCall(a.t, a.d, "/v1/ack", fmt.Sprintf(`{"epoch":%q,"consumer":%q,"seq":%d}`,
		a.hello.Epoch, a.hello.Consumer, l.Seq))
}

// forward reads lines until the connection ends.
func (a *acker) forward(to chan<- string) {
	for {
		line, err := a.in.ReadString('\n')
		if err != nil {
			return
		}
		to <- line
	}
}

// consumersAre waits until there are so many consumers, and all slots are where they belong.
func consumersAre(t *testing.T, d *daemon, n int) {
	t.Helper()
	type hub struct{ Consumers, Moving int }
	waitFor(t, func() error {
		var a struct {
			Backend hub `json:"backend"`
		}
		(&backend{t, d}).get("/v1/stats", &a)
		return differ("hub", a.Backend, hub{n, 0})
	})
}

// talkers are clients that send numbered events: 1,000 of them together.
type talkers struct {
	clients []*wsClient
	said    int // by each
}

const talking, saying = 40, 25

func (s *talkers) say(n int) {
	for i := range n {
		for _, c := range s.clients {
			c.send(fmt.Sprintf("[%s nil]", numbered(s.said+i, 0)))
		}
	}
	s.said += n
}

// TestAckKilled: a backend is cut in the midst of 1,000 events, of which it has acknowledged some.
// Those and no others are not given again, to the consumers that are there or to one that comes
// later, and each user's events are in order.
func TestAckKilled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		there int // consumers beside the one that is cut
	}{{"the last one comes back", 0}, {"another takes over", 1}, {"others take over", 2}} {
		t.Run(c.name, func(t *testing.T) { ackKilled(t, c.there) })
	}
}

func ackKilled(t *testing.T, there int) {
	d := startDaemon(t, "--loops", "2")
	first := subscribeAcks(t, d)
	var rest []*acker
	for range there {
		rest = append(rest, subscribeAcks(t, d))
	}
	consumersAre(t, d, 1+there)
	s := &talkers{}
	for i := range talking {
		s.clients = append(s.clients, connectWS(t, d, fmt.Sprintf("c%d", i), ""))
	}
	s.say(saying / 2)
	next := map[string]int{} // uid -> the number that is to come
	// It reads as many as two users say, and acknowledges half of them. More are on their way.
	for i := range saying - 1 {
		l := parseAckLine(t, first.next())
		n := l.number(t)
		if i < saying/2 {
			next[l.UID] = n + 1
		}
		if i == saying/2-1 {
			first.ack(l)
		}
	}
	first.conn.Close()
	s.say(saying - s.said)
	if there == 0 {
		consumersAre(t, d, 0)
		rest = append(rest, subscribeAcks(t, d))
	}
	wantRest(t, rest, next)
}

// wantRest reads what is to come of each client from next on, and that some of it comes again.
func wantRest(t *testing.T, rest []*acker, next map[string]int) {
	t.Helper()
	lines := make(chan string, talking*saying)
	for _, a := range rest {
		go a.forward(lines) // until the test's end closes its connection
	}
	left := talking * saying
	for _, n := range next {
		left -= n
	}
	again := 0
	for ; left > 0; left-- {
		var l ackLine
		select {
		case line := <-lines:
			l = parseAckLine(t, line)
		case <-time.After(comesTrue):
			t.Fatalf("%d events are missing; next: %v", left, next)
		}
		n := l.number(t)
		if n != next[l.UID] {
			t.Fatalf("%s: event %d, want %d (%+v)", l.UID, n, next[l.UID], l)
		}
		next[l.UID]++
		if l.Redelivered {
			again++
		}
	}
	if again == 0 {
		t.Error("nothing was given again")
	}
}
