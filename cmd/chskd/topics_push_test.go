package main_test

import (
	"fmt"
	"strings"
	"testing"
)

// Topics over real sockets.
//
//	topics_push_test.go     who gets what is pushed to a topic
//	topics_members_test.go  who is in a topic, and for how long

// membership joins or leaves ("join", "leave") a topic; who is a user or a client, as fields of the
// request. is what the answer says: was anybody there?
func membership(t *testing.T, d *daemon, verb, who, topic string, is bool) {
	t.Helper()
	did := map[string]string{"join": "joined", "leave": "left"}[verb]
	want := fmt.Sprintf(`{"status":"ok",%q:%v}`, did, is)
	got := apiCall(t, d, "/v1/"+verb, fmt.Sprintf(`{%s,"topic":%q}`, who, topic))
	if got != want {
		t.Fatalf("%s %s %s: %s, want %s", verb, who, topic, got, want)
	}
}

// pushTopic pushes an event at once; sessions is how many are told to get it.
func pushTopic(t *testing.T, d *daemon, topic, more, event string, sessions int) {
	t.Helper()
	to := fmt.Sprintf(`"topic":%q,"flush":true%s`, topic, more)
	if got := pushEDN(t, d, to, event); got != forSessions(sessions) {
		t.Fatalf("%s to %s: %s, want %s", event, topic, got, forSessions(sessions))
	}
}

// wantEvents reads events, which must be these, in any batches.
func wantEvents(t *testing.T, c receiver, events ...string) {
	t.Helper()
	for got := []string(nil); len(events) > 0; got = got[1:] {
		if len(got) == 0 {
			got = c.batch()
		}
		if got[0] != events[0] {
			t.Fatalf("a client got %.200s, want %.200s", got, events[0])
		}
		events = events[1:]
		if len(events) == 0 && len(got) > 1 {
			t.Fatalf("a client got more than it should: %.200s", got[1:])
		}
	}
}

// TestTopicEveryPacker: one user's clients of all packers, over both transports, get what is pushed
// to a topic of the user once, also those that are in it by themselves.
func TestTopicEveryPacker(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev", "--loops", "2")
	e := connectEvery(t, d)
	n := 2 * len(allPackers)
	pushTopic(t, d, "room:1", "", "[:a/nobody]", 0)
	membership(t, d, "join", `"uid":"u"`, "room:1", true)
	pushTopic(t, d, "room:1", "", "[:a/b {:x 1}]", n)
	e.want(`[["a/b",{"x":1}]]`)
	membership(t, d, "join", `"uid":"u","client":"w0"`, "room:1", true)
	pushTopic(t, d, "room:1", "", "[:a/b {:x 2}]", n)
	e.want(`[["a/b",{"x":2}]]`)
	pushTopic(t, d, "room:1", `,"except":["u"]`, "[:a/b {:x 3}]", 0)
	pushTopic(t, d, "room:1", `,"except":["v"]`, "[:a/b {:x 4}]", n)
	e.want(`[["a/b",{"x":4}]]`)
}

// TestTopicMembers: a push to a topic reaches its members on all loops, over both transports, and
// nobody else; tenants and topics do not mix, and the order with other pushes is that of asking.
func TestTopicMembers(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev", "--loops", "2")
	var in, out []receiver
	names := func(i int) (uid, client string) { return fmt.Sprintf("u%d", i), fmt.Sprintf("c%d", i) }
	for i := range 12 {
		uid, client := names(i)
		var c receiver
		if i%2 == 0 {
			c = connectWS(t, d, client, "&uid="+uid)
		} else {
			a := connectAjax(t, d, client, "&uid="+uid)
			a.poll("")
			c = &waitingAjax{a}
		}
		(&backend{t, d}).awaitClient(uid)
		if i < 8 {
			in = append(in, c)
			membership(t, d, "join", fmt.Sprintf(`"uid":%q`, uid), "news", true)
			membership(t, d, "join", fmt.Sprintf(`"uid":%q`, uid), "news", true) // which it is
		} else {
			out = append(out, c)
			membership(t, d, "join", fmt.Sprintf(`"uid":%q`, uid), "news2", true)
		}
	}
	pushTopic(t, d, "news", "", "[:t/n 1]", 8)
	pushTopic(t, d, "news", `,"tenant":"other"`, "[:t/n 2]", 0)
	for _, c := range in {
		wantEvents(t, c, "[:t/n 1]")
	}
	pushTopic(t, d, "news", `,"except":["u0","u1","u11","nobody"]`, "[:t/n 3]", 6)
	for i, c := range in {
		if i > 1 {
			wantEvents(t, c, "[:t/n 3]")
		}
	}
	// What goes to all comes after, and shows that nothing else came.
	pushEDN(t, d, `"all":true,"flush":true`, "[:t/all]")
	for _, c := range append(in, out...) {
		wantEvents(t, c, "[:t/all]")
	}
}

// waitingAjax is a client whose poll is out.
type waitingAjax struct{ *ajaxClient }

func (c *waitingAjax) batch() []string {
	c.t.Helper()
	for {
		body := c.polled()
		c.poll("")
		if body != ajaxTimeout {
			return batchEvents(c.t, body)
		}
	}
}

// TestTopicOrder: pushes to a topic, a user, a client and to all come in the order of asking.
func TestTopicOrder(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev", "--loops", "2")
	b := &backend{t, d}
	c := connectWS(t, d, "c1", "&uid=alice")
	b.awaitClient("alice")
	membership(t, d, "join", `"uid":"alice"`, "t1", true)
	membership(t, d, "join", `"uid":"alice","client":"c1"`, "t2", true)
	targets := []string{`"uid":"alice"`, `"topic":"t1"`, `"uid":"alice","client":"c1"`,
		`"topic":"t2"`, `"all":true`}
	var lines strings.Builder
	const n = 1000
	for i := range n {
		fmt.Fprintf(&lines, "{%s,\"edn\":%q}\n", targets[i%len(targets)], numbered(i, 0))
	}
	if err := postPushes(d, lines.String()); err != nil {
		t.Fatal(err)
	}
	wantNumbers(t, c, 0, n)
}
