package backend_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
)

func TestPresence(t *testing.T) {
	r := plainRig(t)
	r.presence(true, "early") // before anybody follows: the engine's pages know
	r.engine.set(func(f *fakeEngine) {
		f.pageSize = 1
		f.users = []backend.Online{{UID: "early", WS: 1}, {UID: "t1", Tenant: "t", Ajax: 1}}
	})
	s := r.open("?presence=1")
	if got := s.short(3); got != "open early, open t1, live" {
		t.Errorf("snapshot: %s", got)
	}
	r.presence(true, "alice")
	r.presence(true, "alice") // known already
	r.event("alice", "[:a/b]", "")
	r.presence(false, "alice")
	r.presence(false, "alice")
	r.presence(false, "nobody")
	r.presence(true, "alice")
	if got := s.short(4); got != "open alice, event alice, close alice, open alice" {
		t.Errorf("changes: %s", got)
	}
	second := r.open("?presence=all")
	if got := second.short(4); got != "open early, open t1, open alice, live" {
		t.Errorf("second snapshot: %s", got)
	}
	plain := r.open("?group=plain")
	r.presence(false, "alice")
	r.event("x", "[:a/b]", "")
	if got := plain.short(1); got != "event x" {
		t.Errorf("one that does not follow got %s", got)
	}
}

// Users without uid are in several shards: told are the first that comes and the last that leaves,
// whenever the consumer came.
func TestPresenceWithoutUID(t *testing.T) {
	r := plainRig(t)
	nilUser := func(open bool, tenant string) { r.hub.Presence(open, []byte(tenant), nil, true) }
	nilUser(true, "")
	nilUser(true, "")
	nilUser(true, "t")
	nilUser(false, "t")
	r.engine.set(func(f *fakeEngine) {
		// A page may speak of a shard whose change has not been told yet.
		f.users = []backend.Online{{NilUID: true}, {NilUID: true}, {NilUID: true, Tenant: "t"}}
	})
	s := r.open("?presence=1")
	if got := s.short(2); got != "open nil, live" {
		t.Errorf("snapshot: %s", got)
	}
	nilUser(false, "")
	nilUser(true, "t")
	nilUser(false, "")
	nilUser(true, "")
	var tenants string
	for range 3 {
		l := s.next()
		if l.UID != nil {
			t.Errorf("uid: %s", l.text)
		}
		tenants += l.Type + ":" + l.Tenant + " "
	}
	if tenants != "open:t close: open: " {
		t.Errorf("changes: %s", tenants)
	}
}

// A change that comes while the pages are read wins over them: a page may be older.
func TestPresenceWhileLoading(t *testing.T) {
	r := plainRig(t)
	page := make(chan struct{})
	asked := make(chan struct{}, 10)
	r.engine.set(func(f *fakeEngine) {
		f.users = []backend.Online{{UID: "left"}, {UID: "stays"}, {UID: "back"}, {UID: "new"}}
		f.onPage = func() { asked <- struct{}{}; <-page }
	})
	s := r.open("?presence=1")
	<-asked
	r.presence(false, "left")
	r.presence(false, "back")
	r.presence(true, "back")
	r.presence(true, "new") // its page tells it too
	close(page)
	got := map[string]int{}
	for {
		l := s.next()
		if l.Type == "live" {
			break
		}
		got[l.Type+" "+*l.UID]++
	}
	if len(got) != 3 || got["open stays"] != 1 || got["open back"] != 1 || got["open new"] != 1 {
		t.Errorf("told: %v", got)
	}
}

// A page that the engine cannot give is asked for again.
func TestPresencePageFails(t *testing.T) {
	r := plainRig(t)
	r.engine.set(func(f *fakeEngine) {
		f.users = []backend.Online{{UID: "alice"}}
		f.pageErrs = 1
	})
	if got := r.open("?presence=1").short(2); got != "open alice, live" {
		t.Errorf("snapshot: %s", got)
	}
}

// With several consumers of a group each is told of the users whose events it gets; when the slots
// move, both sides start again.
func TestPresenceFollowsSlots(t *testing.T) {
	r := plainRig(t)
	const users = 200
	a := r.open("?presence=1")
	if got := a.short(1); got != "live" {
		t.Fatal(got)
	}
	for i := range users {
		r.presence(true, fmt.Sprint("u", i))
	}
	viewA, viewB := newView(t), newView(t)
	for range users {
		viewA.take(a.next())
	}
	b := r.open("?presence=1")
	viewA.untilLive(a)
	viewB.untilLive(b)
	if viewA.resyncs != 1 || len(viewA.online)+len(viewB.online) != users || len(viewA.online) == 0 ||
		len(viewB.online) == 0 {
		t.Errorf("A %d (%d resyncs), B %d", len(viewA.online), viewA.resyncs, len(viewB.online))
	}
	for uid := range viewA.online {
		if viewB.online[uid] {
			t.Errorf("%s is told to both", uid)
		}
		r.event(uid, "[:a/b]", "")
		if l := a.next(); l.Type != "event" || *l.UID != uid {
			t.Fatalf("%s", l.text)
		}
	}
	b.close()
	viewA.untilLive(a)
	if len(viewA.online) != users {
		t.Errorf("A alone: %d", len(viewA.online))
	}
}

// view is who is online as a consumer sees it, by the rules of the API.
type view struct {
	t       *testing.T
	online  map[string]bool
	resyncs int
	live    bool
}

func newView(t *testing.T) *view { return &view{t: t, online: map[string]bool{}} }

func (v *view) take(l line) {
	v.t.Helper()
	switch l.Type {
	case "open", "close":
		open := l.Type == "open"
		if v.online[*l.UID] == open {
			v.t.Fatalf("%s twice: %s", l.Type, l.text)
		}
		if open {
			v.online[*l.UID] = true
		} else {
			delete(v.online, *l.UID)
		}
	case "resync":
		v.resyncs++
		v.online, v.live = map[string]bool{}, false
	case "live":
		if v.live {
			v.t.Fatal("live twice")
		}
		v.live = true
	}
}

func (v *view) untilLive(s *lines) {
	v.t.Helper()
	for v.live = false; !v.live; {
		v.take(s.next())
	}
}

// Users come and go from several loops while consumers of every kind join, read slowly so that
// their queues overflow, and the pages of the engine are old: in the end each knows the truth, and
// opens and closes alternated all the way.
func TestPresenceRaces(t *testing.T) {
	r := newRig(t, backend.HubOptions{QueueEvents: 300}, backend.Options{})
	const users, loops, turns = 400, 4, 3000
	var mu sync.Mutex // guards truth, as a page is made from it
	truth := map[int]bool{}
	for u := range users {
		truth[u] = u%3 == 0
	}
	r.engine.set(func(f *fakeEngine) {
		f.pageSize = 37
		f.onPage = func() {
			mu.Lock()
			defer mu.Unlock()
			var online []backend.Online
			for u := range users { // absent users keep their place, as slots do
				o := backend.Online{UID: fmt.Sprint("u", u)}
				if !truth[u] {
					o = backend.Online{NilUID: true}
				}
				online = append(online, o)
			}
			f.set(func(f *fakeEngine) { f.users = online })
		}
	})
	var loopsDone, readers sync.WaitGroup
	for loop := range loops {
		loopsDone.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(loop)))
			for range turns {
				u := rng.IntN(users/loops)*loops + loop
				mu.Lock()
				truth[u] = !truth[u]
				open := truth[u]
				mu.Unlock()
				r.presence(open, fmt.Sprint("u", u))
				if rng.IntN(100) == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	views := []*view{newView(t), newView(t), newView(t)}
	streams := []*lines{r.open("?group=x&presence=all"), r.open("?group=y&presence=1"), r.open("?presence=all")}
	for i, s := range streams {
		readers.Go(func() {
			for n := 0; ; n++ {
				l, err := s.read()
				if err != nil || l.Type == "event" {
					return
				}
				views[i].take(l)
				if n%50 == 0 && i > 0 {
					time.Sleep(time.Duration(i) * time.Millisecond)
				}
			}
		})
	}
	for range 20 { // joins and leaves move the slots of y
		joiner := r.open("?group=y&presence=1")
		for joiner.next().Type != "live" {
		}
		joiner.close()
	}
	loopsDone.Wait()
	r.awaitConsumers(len(streams))
	eventually(t, "all to be told", func() bool {
		s := r.hub.Stats()
		return s.Queued == 0 && s.Snapshots == 0
	})
	r.event("end", "[:a/b]", "")
	readers.Wait()
	for i, v := range views {
		if !v.live {
			t.Errorf("consumer %d is not live", i)
		}
		for u := range users {
			if uid := fmt.Sprint("u", u); v.online[uid] != truth[u] {
				t.Errorf("consumer %d: %s is %v, it believes %v", i, uid, truth[u], v.online[uid])
			}
		}
	}
}
