package main_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// everyClient is one user's clients: for each packer one over WebSocket, and one that polls.
type everyClient struct {
	t     *testing.T
	d     *daemon
	ws    []*packedWS
	polls []*rawConn
}

func connectEvery(t *testing.T, d *daemon) *everyClient {
	t.Helper()
	e := &everyClient{t: t, d: d}
	for _, p := range allPackers {
		e.ws = append(e.ws, openPacked(t, d, p, fmt.Sprintf("/chsk/%v?client-id=w%d&uid=u", p, p), "u"))
		poll := dialRaw(t, d)
		poll.send(rawGet(e.pollTarget(p) + "&handshake%3F=1"))
		wantPacked(t, poll, p, `[["chsk/handshake",["u",null,null]],null]`)
		e.polls = append(e.polls, poll)
		e.poll(p)
	}
	userIs(t, d, "uid=u", len(allPackers), len(allPackers))
	return e
}

func (e *everyClient) pollTarget(p packer.Packer) string {
	return fmt.Sprintf("/chsk/%v?client-id=a%d&uid=u&udt=%d", p, p, udtClock.Add(1))
}

func (e *everyClient) poll(p packer.Packer) { e.polls[p].send(rawGet(e.pollTarget(p))) }

// want: all clients get this batch, given as JSON, and poll again.
func (e *everyClient) want(batch string) {
	e.t.Helper()
	for _, p := range allPackers {
		e.ws[p].want("[" + batch + ",null]")
		wantPacked(e.t, e.polls[p], p, "["+batch+",null]")
		e.poll(p)
	}
}

// push pushes an event to all, at once.
func (e *everyClient) push(edn string) {
	e.t.Helper()
	apiCall(e.t, e.d, "/v1/push", fmt.Sprintf(`{"uid":"u","flush":true,"edn":%q}`, edn))
}

// TestEveryPackerAtOnce: a push reaches clients of all packers, and what they say is heard alike.
func TestEveryPackerAtOnce(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev")
	s := openStream(t, d, false)
	e := connectEvery(t, d)

	long := `"` + strings.Repeat("long ", 1000) + `"`
	for _, c := range []struct{ edn, json string }{
		{`[:a/b {:x #{1}, :y :k/w, "z" [1.5 nil "s"]}]`,
			`["a/b",{"x":[1],"y":"k/w","z":[1.5,null,"s"]}]`},
		{`[:a/b]`, `["a/b"]`},
		{`[:a/b #uuid "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"]`,
			`["a/b","f81d4fae-7dec-11d0-a765-00a0c91e6bf6"]`},
		{`[:a/b ` + long + `]`, `["a/b",` + long + `]`},
	} {
		e.push(c.edn)
		e.want("[" + c.json + "]")
	}
	apiCall(t, d, "/v1/push", `{"uid":"u","flush":true,"event":["a/b",{"x":[1.5,{"y z":true}]}]}`)
	e.want(`[["a/b",{"x":[1.5,{"y z":true}]}]]`)

	value := `{:a [1 "` + strings.Repeat("s", 2000) + `"]}`
	inJSON := strings.Replace(value, ":a ", `"a":`, 1)
	inJSON = strings.Replace(inJSON, "1 ", "1,", 1)
	for _, p := range allPackers {
		e.ws[p].say(`[[:x/y ` + value + `] "cb"]`)
		l := s.want(fmt.Sprintf(`event u w%d ws [:x/y %s]`, p, value))
		reply(t, d, l, value)
		e.ws[p].want("[" + inJSON + `,"cb"]`)
		e.ws[p].say(`[[:chsk/ws-ping] "c1"]`)
		e.ws[p].want(`["pong","c1"]`)

		target := fmt.Sprintf("/chsk/%v?client-id=a%d&uid=u", p, p)
		send := dialRaw(t, d)
		send.send(packedSend(p, target, pack(t, p, "[[:x/y "+value+"] :ajax]")))
		l = s.want(fmt.Sprintf(`event u a%d ajax [:x/y %s]`, p, value))
		reply(t, d, l, value)
		wantPacked(t, send, p, "["+inJSON+",null]")
		send.send(packedSend(p, target, pack(t, p, "[[:x/y] nil]")))
		s.want(fmt.Sprintf(`event u a%d ajax [:x/y]`, p))
		wantPacked(t, send, p, `["chsk/dummy-cb-200",null]`)
	}
	if n := counter(t, d, "undecodable"); n != 0 {
		t.Errorf("%d messages were not readable", n)
	}
}

// TestBigIntegerEverywhere: clients of msgpack are told of what it cannot express, in its place.
func TestBigIntegerEverywhere(t *testing.T) {
	t.Parallel()
	const window = "300"
	d := startDaemon(t, "--auth", "dev", "--send-buf-ms-ws", window, "--send-buf-ms-ajax", window)
	e := connectEvery(t, d)
	e.push("[:a/b 0]") // opens the windows
	e.want(`[["a/b",0]]`)
	to := `"uid":"u"`
	pushEDN(t, d, to, "[:a/b 1]")
	pushEDN(t, d, to, "[:a/b 99999999999999999999]")
	pushEDN(t, d, to, "[:a/b -99999999999999999999]")
	e.push("[:a/b 2]")
	for _, p := range allPackers {
		// How they are shared out over batches depends on the time; their order does not.
		want := `["a/b",1],["a/b",99999999999999999999],["a/b",-99999999999999999999],["a/b",2]`
		got := e.ws[p].until(`["a/b",2]`)
		if p.Format() == packer.Msgpack {
			if !strings.HasPrefix(got, `["a/b",1],["chskd/gap",{"missed":`) ||
				!strings.HasSuffix(got, `}],["a/b",2]`) {
				t.Errorf("%v got %s", p, got)
			}
		} else if got != want {
			t.Errorf("%v got %s, want %s", p, got, want)
		}
	}
	// The other way there is nothing to translate: a reply says so.
	s := openStream(t, d, false)
	e.ws[packer.Msgpack].say(`[[:x/y] "cb"]`)
	l := s.next()
	status, answer := apiStatus(t, d, "/v1/reply",
		fmt.Sprintf(`{"reply_to":%q,"edn":"99999999999999999999"}`, l.ReplyTo))
	if status < 400 || status >= 500 || !strings.Contains(answer, "msgpack") {
		t.Errorf("a reply that msgpack cannot express: %d %s", status, answer)
	}
	reply(t, d, l, "7")
	e.ws[packer.Msgpack].want(`[7,"cb"]`)
}

// until reads batches up to one that ends with this event, and gives all their events.
func (c *packedWS) until(last string) (events string) {
	c.t.Helper()
	for {
		packed, err := c.hear()
		if err != nil {
			c.t.Fatalf("%v: %v; after %s", c.p, err, events)
		}
		got := unpack(c.t, c.p, packed)
		if !strings.HasPrefix(got, "[[[") || !strings.HasSuffix(got, "]],null]") {
			c.t.Fatalf("%v: not a batch: %s", c.p, got)
		}
		got = got[len("[[") : len(got)-len("],null]")]
		if events != "" {
			events += ","
		}
		if events += got; strings.HasSuffix(got, last) {
			return events
		}
	}
}
