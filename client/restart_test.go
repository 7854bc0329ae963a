package client_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chskd/chskd/client"
)

// The daemon is restarted in the midst of pushes from one client, to users that are connected
// before and after. What each of them gets is judged by what the producer was told:
//
//   - in each life of the daemon, a user gets nothing twice and nothing out of order;
//   - what the first life had not answered, the second one delivers, all of it;
//   - what it had answered is not sent again: what a user misses between the two lives is what the
//     first one had taken and not delivered.
const (
	restartUsers  = 50
	restartEach   = 400 // fewer than a user's log holds: nothing is dropped for the speed
	restartPushes = restartUsers * restartEach
)

func TestRestart(t *testing.T) {
	for name, s := range map[string]syscall.Signal{
		"terminated": syscall.SIGTERM, "killed": syscall.SIGKILL,
	} {
		t.Run(name, func(t *testing.T) { restart(t, s) })
	}
}

func restart(t *testing.T, s syscall.Signal) {
	ctx := contextOf(t)
	first := startDaemon(t, "--drain-ms", "500")
	// The second life's socket is put in the first one's place when all users are back: what comes
	// before would rightly be put to nobody.
	link := filepath.Join(filepath.Dir(first.api), "link")
	check(t, os.Symlink(first.api, link))

	life, answered := 1, 0 // the client's goroutine's, until Flush
	var lives [restartPushes]int
	lost := make(chan struct{})
	c := dial(t, link, client.Options{Pending: 2000, Notify: func(connected bool, _ error) {
		if !connected {
			life++
			close(lost)
		}
	}})
	users := watchUsers(t, first.addr)
	pushed := make(chan error, 1)
	go func() {
		for k := range restartPushes {
			switch { // the daemon is faster than its end
			case k == restartPushes*4/5:
				<-lost
			case k > restartPushes*2/5 && k%20 == 0:
				time.Sleep(time.Millisecond)
			}
			err := c.PushAsync(ctx, numbered(k), func(p client.Pushed, err error) {
				if err != nil || p.Duplicate {
					t.Errorf("push %d: %+v, %v", k, p, err)
				}
				lives[k] = life
				if answered++; answered == restartPushes*2/5 {
					first.Signal(s)
				}
			})
			if err != nil {
				pushed <- err
				return
			}
		}
		pushed <- c.Flush(ctx)
	}()
	<-first.Ended()
	<-lost
	second := startDaemon(t, "--listen", first.addr)
	users.awaitLife(t, 2)
	check(t, os.Symlink(second.api, link+"2"))
	check(t, os.Rename(link+"2", link))
	check(t, <-pushed)
	check(t, c.Close()) // what is its goroutine's is ours now
	equal(t, "lives", life, 2)
	users.judge(t, &lives)
}

func numbered(k int) client.Push {
	return client.Push{
		UID: fmt.Sprint("u", k%restartUsers), Event: "n/n", Data: k / restartUsers,
	}
}

// watched are users that connect again when their connection ends, and what each got in each life.
type watched struct {
	mu   sync.Mutex
	got  [restartUsers][][]int // by user and life
	done sync.WaitGroup
}

func watchUsers(t *testing.T, addr string) *watched {
	w := new(watched)
	for u := range restartUsers {
		b := open(t, addr, fmt.Sprint("u", u))
		w.got[u] = append(w.got[u], nil)
		w.done.Go(func() { w.watch(t, b, addr, u) })
	}
	return w
}

func (w *watched) watch(t *testing.T, b *browser, addr string, u int) {
	for {
		last, err := w.read(b, u)
		if last {
			return
		}
		if t.Failed() {
			t.Errorf("user %d: %v", u, err)
			return
		}
		b.conn.Close()
		for err != nil {
			if t.Context().Err() != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
			b, err = connect(t.Context(), addr, fmt.Sprint("u", u))
		}
		w.mu.Lock()
		w.got[u] = append(w.got[u], nil)
		w.mu.Unlock()
	}
}

// read notes what comes, until the last event or the connection's end.
func (w *watched) read(b *browser, u int) (last bool, err error) {
	for {
		events, err := b.events()
		if err != nil {
			return false, err
		}
		w.mu.Lock()
		for _, e := range events {
			var n int
			if _, err := fmt.Sscanf(e, `["n/n",%d]`, &n); err != nil {
				n = -1
			}
			life := &w.got[u][len(w.got[u])-1]
			*life = append(*life, n)
			last = last || n == restartEach-1
		}
		w.mu.Unlock()
		if last {
			return true, nil
		}
	}
}

func (w *watched) awaitLife(t *testing.T, life int) {
	t.Helper()
	eventually(t, "all users are back", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for u := range w.got {
			if len(w.got[u]) < life {
				return false
			}
		}
		return true
	})
}

func (w *watched) judge(t *testing.T, lives *[restartPushes]int) {
	w.done.Wait()
	lost, twice := 0, 0
	for u := range w.got {
		var want []int // that the second life owes
		for n := range restartEach {
			if lives[n*restartUsers+u] == 2 {
				want = append(want, n)
			}
		}
		old := w.got[u][0]
		if !slices.Equal(old, upTo(len(old))) {
			t.Errorf("user %d got %v in the first life", u, old)
		}
		if !slices.Equal(w.got[u][1], want) {
			t.Errorf("user %d got %v in the second life, want %v", u, w.got[u][1], want)
		}
		lost += max(0, restartEach-len(want)-len(old))
		twice += max(0, len(old)+len(want)-restartEach)
	}
	t.Logf("%d of %d were taken by the first life and not delivered, %d were delivered by both",
		lost, restartPushes, twice)
}

func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}
