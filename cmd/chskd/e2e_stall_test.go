package main_test

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
)

const (
	logBytesMax = 1 << 20 // of one log
	healthyMax  = 8       // clients that read, beside the one that does not
)

// TestStalledReader: a client that does not read harms nobody. The others get every event while it
// stands still, the daemon keeps no more for it than a log may have, and when it reads again it
// gets what its window holds, in order, and is told of what it does not.
func TestStalledReader(t *testing.T) {
	t.Parallel()
	t.Run("inside its window", func(t *testing.T) { stallFor(t, 800) })
	t.Run("beyond its window", func(t *testing.T) { stallFor(t, 3000) })
}

// stallFor broadcasts n events of a little more than 1,000 bytes.
func stallFor(t *testing.T, n int) {
	t.Parallel()
	const chunk, pad = 50, 1000
	d := startDaemon(t)
	b := &backend{t, d}
	stalled := connectWS(t, d, "stalled", "")
	var healthy []*wsClient
	for i := range healthyMax {
		healthy = append(healthy, connectWS(t, d, fmt.Sprintf("healthy%d", i), ""))
	}
	presentIs(t, d, healthyMax+1, healthyMax+1, 0)
	for at := 0; at < n; at += chunk {
		pushes := make([]push, chunk)
		for i := range pushes {
			pushes[i] = push{All: true, EDN: numbered(at+i, pad)}
		}
		b.push(pushes...)
		for _, c := range healthy {
			wantNumbers(t, c, at, chunk)
		}
		b.wantBounded()
	}
	if got := counter(t, d, "stalls"); got != 1 {
		t.Fatalf("%d connections were stalled, want 1", got)
	}
	missed := wantAllOrGap(t, stalled, n)
	if (missed > 0) != (n*pad > logBytesMax) {
		t.Errorf("%d events are missing", missed)
	}
	b.push(push{All: true, EDN: numbered(n, 0)})
	wantNumbers(t, stalled, n, 1)
	b.awaitConfirmed()
}

// wantBounded: the logs of all loops have no more than they may.
func (b *backend) wantBounded() {
	b.t.Helper()
	loops := int(counter(b.t, b.d, "loops"))
	if got := b.stats().LogBytes; got > loops*logBytesMax {
		b.t.Fatalf("the logs of %d loops have %d bytes", loops, got)
	}
}

var gapEvent = regexp.MustCompile(`^\[:chskd/gap \{:missed (\d+)\}\]$`)

// wantAllOrGap reads events 0 to n-1. Those that are missing must have been told of in their place;
// after very many, the number told may count some again that came before.
func wantAllOrGap(t *testing.T, c *wsClient, n int) (missed int) {
	t.Helper()
	told := 0 // not yet compared with the event behind the gap
	for next := 0; next < n; {
		for _, e := range c.batch() {
			if m := gapEvent.FindStringSubmatch(e); m != nil {
				gap, err := strconv.Atoi(m[1])
				if err != nil || gap == 0 {
					t.Fatal(e)
				}
				told += gap
				continue
			}
			got := numbersOf(t, []string{e})[0]
			if gap := got - next; gap < 0 || gap > told || told > gap+next {
				t.Fatalf("got %d where %d should come; told of %d missing", got, next, told)
			}
			missed += got - next
			next, told = got+1, 0
		}
	}
	return missed
}
