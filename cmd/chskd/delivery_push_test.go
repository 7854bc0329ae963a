package main_test

import (
	"fmt"
	"testing"
	"time"
)

// What is delivered, and what on purpose is not.
//
//	delivery_push_test.go  a key takes the place of an older event, a time to live runs out
//	delivery_gap_test.go   a client that missed something is told, or closed
//	delivery_full_test.go  an event that no backend takes
//	delivery_ack_test.go   a backend that dies with events that it has not acknowledged

// away is a client that has been there, and left.
func away(t *testing.T, d *daemon, client string) *backend {
	t.Helper()
	b := &backend{t, d}
	c := connectWS(t, d, client, "")
	b.awaitClient(client)
	c.acknowledge()
	c.leave()
	b.awaitCounter("ws_now", 0)
	return b
}

// TestLatestValueWins: of the events with one key and the same receivers a client that was away
// gets the last, where that stands in the order.
func TestLatestValueWins(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"WebSocket", "Ajax"} {
		t.Run(transport, func(t *testing.T) {
			d := startDaemon(t)
			b := away(t, d, "c1")
			membership(t, d, "join", `"uid":"c1"`, "room", true)
			user, client, topic, all := `"uid":"c1"`, `"uid":"c1","client":"c1"`, `"topic":"room"`, `"all":true`
			for i, p := range []struct{ to, key string }{
				{user, "k"}, {user, ""}, {topic, "k"}, {user, "k"}, {all, "k"}, {user, "l"},
				{client, "k"}, {topic, "k"}, {user, "k"}, {user, ""}, {all, "k"}, {client, "l"},
			} {
				if p.key != "" {
					p.to += fmt.Sprintf(`,"key":%q`, p.key)
				}
				pushEDN(t, d, p.to, fmt.Sprintf("[:t/n %d]", i))
			}
			b.awaitCounter("superseded", 4)
			wantEvents(t, comeBack(b, "c1", transport), "[:t/n 1]", "[:t/n 5]", "[:t/n 6]", "[:t/n 7]",
				"[:t/n 8]", "[:t/n 9]", "[:t/n 10]", "[:t/n 11]")
		})
	}
}

// TestLatestValuePresent: who is there gets the first at once and the last at the window's end.
func TestLatestValuePresent(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--send-buf-ms-ws", "60000")
	b := &backend{t, d}
	c := connectWS(t, d, "c1", "")
	b.awaitClient("c1")
	for i := range 10 {
		pushEDN(t, d, `"uid":"c1","key":"k"`, fmt.Sprintf("[:t/n %d]", i))
	}
	pushEDN(t, d, `"uid":"c1","flush":true`, "[:t/end]")
	wantEvents(t, c, "[:t/n 0]", "[:t/n 9]", "[:t/end]")
}

// TestTimeToLive: what ran out while a client was away is not sent, and not missed.
func TestTimeToLive(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"WebSocket", "Ajax"} {
		t.Run(transport, func(t *testing.T) {
			d := startDaemon(t)
			b := away(t, d, "c1")
			membership(t, d, "join", `"uid":"c1"`, "room", true)
			for i, to := range []string{
				`"uid":"c1","ttl_ms":1`, `"uid":"c1"`, `"topic":"room","ttl_ms":1`,
				`"all":true,"ttl_ms":3600000`, `"all":true,"ttl_ms":1`,
			} {
				pushEDN(t, d, to, fmt.Sprintf("[:t/n %d]", i))
			}
			time.Sleep(20 * time.Millisecond) // by the clock of the daemon the time is over, too
			wantEvents(t, comeBack(b, "c1", transport), "[:t/n 1]", "[:t/n 3]")
			if n := counter(t, d, "gaps"); n != 0 {
				t.Errorf("%d gaps", n)
			}
			b.awaitCounter("expired", 3)
		})
	}
}
