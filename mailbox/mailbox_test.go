package mailbox_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chskd/chskd/mailbox"
)

func TestQueueKeepsEachWritersOrder(t *testing.T) {
	const writers, each = 8, 5000
	wakes := make(chan struct{}, 1)
	var outstanding atomic.Int32
	q := mailbox.NewQueue[[2]int](func() {
		if outstanding.Add(1) > 1 {
			t.Error("a second wake while one is outstanding")
		}
		wakes <- struct{}{}
	})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := 0; i < each; {
				if i%3 == 0 && i+2 <= each {
					q.PostAll([][2]int{{w, i}, {w, i + 1}})
					i += 2
					continue
				}
				q.Post([2]int{w, i})
				i++
			}
		})
	}
	var last [writers]int
	var batch [][2]int
	for n := 0; n < writers*each; {
		<-wakes
		outstanding.Add(-1)
		batch = q.Take(batch)
		for _, v := range batch {
			if v[1] != last[v[0]] {
				t.Fatalf("writer %d: got %d, want %d", v[0], v[1], last[v[0]])
			}
			last[v[0]]++
			n++
		}
	}
	wg.Wait()
}

func TestQueueWakesWithoutMessage(t *testing.T) {
	wakes := 0
	q := mailbox.NewQueue[int](func() { wakes++ })
	q.Wake()
	q.Wake()
	q.Post(1)
	if wakes != 1 {
		t.Fatalf("%d wakes, want 1", wakes)
	}
	if got := q.Take(nil); len(got) != 1 {
		t.Fatalf("took %v", got)
	}
	q.Wake()
	if wakes != 2 {
		t.Fatalf("%d wakes after Take, want 2", wakes)
	}
}

func TestQueueNudgesForWhatWasPostedQuietly(t *testing.T) {
	wakes := 0
	q := mailbox.NewQueue[int](func() { wakes++ })
	q.Nudge()
	q.PostQuietly(1)
	q.PostQuietly(2)
	if wakes != 0 {
		t.Fatalf("%d wakes without a nudge, want none", wakes)
	}
	q.Nudge()
	q.Nudge()
	if wakes != 1 {
		t.Fatalf("%d wakes after two nudges, want 1", wakes)
	}
	if got := q.Take(nil); len(got) != 2 || got[0] != 1 || got[1] != 2 {
		t.Fatalf("took %v", got)
	}
	q.Nudge()
	q.PostQuietly(3)
	q.Post(4)
	if got := q.Take(nil); wakes != 2 || len(got) != 2 || got[0] != 3 {
		t.Fatalf("%d wakes, took %v", wakes, got)
	}
}

func TestReplyFirstOneCounts(t *testing.T) {
	r := mailbox.NewReply[int]()
	if _, err := r.Wait(time.Millisecond); err == nil {
		t.Fatal("an answer out of nothing")
	}
	r.Put(1)
	r.Put(2)
	if v, err := r.Wait(time.Minute); v != 1 || err != nil {
		t.Fatalf("got %d %v", v, err)
	}
}

func TestClockWakesEachLoopOnceAnAlarm(t *testing.T) {
	woken := [2]chan uint32{make(chan uint32, 16), make(chan uint32, 16)}
	var c *mailbox.Clock
	c = mailbox.NewClock([]func(){
		func() { woken[0] <- c.Now() },
		func() { woken[1] <- c.Now() },
	})
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() { c.Run(stop); close(done) }()

	base := c.Now()
	c.At(0, base+200)
	c.At(1, base+30)
	c.At(1, base+60) // later than what is armed: changes nothing
	at1 := <-woken[1]
	if int32(at1-(base+30)) < 0 {
		t.Fatalf("loop 1 woken at +%d, before its time", at1-base)
	}
	at0 := <-woken[0]
	if int32(at0-(base+200)) < 0 {
		t.Fatalf("loop 0 woken at +%d, before its time", at0-base)
	}
	// An earlier alarm than the one that Run sleeps for must get it up.
	c.At(0, c.Now()+3600_000)
	c.At(1, c.Now()+10)
	<-woken[1]
	close(stop)
	<-done
	if len(woken[0])+len(woken[1]) != 0 {
		t.Fatal("woken without an alarm")
	}
}

func TestWakerMakesUpForEarlyWakes(t *testing.T) {
	var w mailbox.Waker
	w.Wake()
	n := 0
	w.Set(func() { n++ })
	if n != 1 {
		t.Fatalf("%d calls after Set, want the missed one", n)
	}
	w.Wake()
	if n != 2 {
		t.Fatalf("%d calls, want 2", n)
	}
}

func TestTallyReportsOnce(t *testing.T) {
	var got []int
	tally := mailbox.NewTally(3, func(sum int) { got = append(got, sum) })
	tally.Add(1)
	tally.Add(0)
	if got != nil {
		t.Fatal("reported before the last part")
	}
	tally.Add(5)
	if len(got) != 1 || got[0] != 6 {
		t.Fatalf("reported %v, want [6]", got)
	}
}
