package backend_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/chskd/chskd/backend"
)

// crowd is very many users that come and go, and what is true of them.
type crowd struct {
	h      *backend.Hub
	rng    *rand.Rand
	users  []crowdUser
	byKey  map[string]int
	online []bool
	set    any
	pages  int // that are still to be handed over
	page   *backend.Connected
}

type crowdUser struct {
	tenant, uid []byte
	nilUID      bool
	slot        int
}

func newCrowd(h *backend.Hub, n int) *crowd {
	c := &crowd{
		h: h, rng: rand.New(rand.NewPCG(200, 4)),
		byKey: map[string]int{}, online: make([]bool, n),
	}
	for i := range n {
		u := crowdUser{tenant: fmt.Append(nil, "t", i%4), uid: fmt.Append(nil, "user-", i)}
		if i < 4 {
			u.uid, u.nilUID = nil, true
		}
		u.slot = h.Slot(string(u.tenant), string(u.uid), u.nilUID, "")
		c.users = append(c.users, u)
		c.byKey[backend.KeyOf(string(u.tenant), string(u.uid), u.nilUID)] = i
		if c.rng.IntN(2) == 0 {
			c.flip(i) // before anybody follows
		}
	}
	return c
}

func (c *crowd) flip(i int) {
	u := &c.users[i]
	c.online[i] = !c.online[i]
	c.h.Presence(c.online[i], u.tenant, u.uid, u.nilUID)
}

// churn lets n users come or go. Most of it is done by a tenth of them, who have a bad network.
func (c *crowd) churn(n int) {
	for range n {
		among := len(c.users)
		if c.rng.IntN(5) > 0 {
			among /= 10
		}
		c.flip(c.rng.IntN(among))
	}
}

// load hands over the next page of the set, which was made one call before: it may be old.
func (c *crowd) load() {
	const parts = 50
	set := c.h.PresentSet()
	if set == nil {
		return
	}
	if set != c.set {
		c.set, c.pages, c.page = set, parts, nil
	}
	if c.page != nil {
		c.pages--
		c.h.LoadPage(set, c.page, c.pages == 0)
	}
	if c.pages == 0 {
		return
	}
	c.page = &backend.Connected{}
	for i := c.pages - 1; i < len(c.users); i += parts {
		if u := &c.users[i]; c.online[i] {
			c.page.Users = append(c.page.Users,
				backend.Online{Tenant: string(u.tenant), UID: string(u.uid), NilUID: u.nilUID})
		}
	}
}

// slowReader is a consumer that reads a few lines at a time.
type slowReader struct {
	t       *testing.T
	c       *crowd
	k       *backend.Consumer
	batch   []backend.Entry
	done    int
	more    bool
	view    []bool
	live    bool
	lives   int
	resyncs int
	frozen  []bool // the truth when the snapshot was frozen
	atLive  []bool // the truth that the live line of batch stands for
	lines   int
}

func newSlowReader(t *testing.T, c *crowd, group string, mode int) *slowReader {
	t.Helper()
	k, err := c.h.Subscribe(group, false, mode)
	if err != nil {
		t.Fatal(err)
	}
	return &slowReader{t: t, c: c, k: k, view: make([]bool, len(c.users))}
}

// read takes at most n lines; false = there was nothing.
func (r *slowReader) read(n int) bool {
	r.t.Helper()
	if r.done == len(r.batch) {
		was := r.k.Frozen()
		r.batch, r.more, _ = r.c.h.Take(r.k, r.batch)
		r.done = 0
		if !was && r.k.Frozen() {
			r.frozen = append([]bool(nil), r.c.online...)
		}
		for i := range r.batch {
			if r.batch[i].Tells() == "live" {
				r.atLive = r.frozen
				if !was {
					r.atLive = append([]bool(nil), r.c.online...)
				}
			}
		}
	}
	piece := r.batch[r.done:min(r.done+n, len(r.batch))]
	for i := range piece {
		r.line(&piece[i])
	}
	r.done += len(piece)
	r.c.h.Settle(r.k, piece)
	return len(piece) > 0 || r.more
}

func (r *slowReader) line(e *backend.Entry) {
	r.t.Helper()
	r.lines++
	switch kind := e.Tells(); kind {
	case "open", "close":
		i, known := r.c.byKey[e.Key()]
		if !known || r.view[i] == (kind == "open") {
			r.t.Fatalf("line %d: %s of %q twice", r.lines, kind, e.Key())
		}
		r.view[i] = kind == "open"
	case "resync":
		r.resyncs++
		r.live = false
		clear(r.view)
	case "live":
		r.live = true
		r.lives++
		if wrong := r.wrong(r.atLive); wrong > 0 {
			r.t.Fatalf("live %d after %d lines: the reader is wrong about %d users", r.lives, r.lines, wrong)
		}
	}
}

// wrong counts the users of whom the reader believes what is not true.
func (r *slowReader) wrong(truth []bool) (n int) {
	for i, u := range r.c.users {
		if r.view[i] != (truth[i] && r.k.Follows(u.slot)) {
			n++
		}
	}
	return n
}

// slow lets the reader read ten times slower than users come and go, until something is so.
func (r *slowReader) slow(pace int, what string, ok func() bool) {
	r.t.Helper()
	for rounds := 0; !ok(); rounds++ {
		if rounds > 40*len(r.c.users)/pace {
			r.t.Fatalf("%s: not in %d lines", what, r.lines)
		}
		r.read(pace)
		r.c.churn(10 * pace)
		r.c.load()
	}
}

// catchUp reads all that is there: then the reader knows the truth of now.
func (r *slowReader) catchUp() {
	r.t.Helper()
	for r.read(1 << 20) {
	}
	if wrong := r.wrong(r.c.online); wrong > 0 || !r.live {
		r.t.Fatalf("live %v: the reader is wrong about %d users", r.live, wrong)
	}
}

// A reader that is ten times slower than users come and go gets to live all the same, knows the
// truth of one moment then, and the truth of now as soon as it catches up. What it costs is bounded
// by the users.
func TestPresenceOfVeryMany(t *testing.T) {
	users, pace := 200_000, 50
	if testing.Short() || raceEnabled {
		users, pace = 20_000, 10
	}
	h := backend.NewHub(backend.HubOptions{QueueEvents: 1000})
	c := newCrowd(h, users)
	before := heap()
	r := newSlowReader(t, c, "default", 2)
	r.slow(pace, "the first live", func() bool { return r.lives == 1 })
	t.Logf("live after %d lines", r.lines)
	if r.frozen == nil {
		t.Error("the snapshot was not frozen: the reader is not slow, the test says nothing")
	}
	used := heap() - before
	t.Logf("%d bytes a user", used/int64(users))
	if used > int64(users)*400 {
		t.Errorf("%d bytes for %d users", used, users)
	}
	if positions, dead := h.PresentSize(); positions > 3*users || dead > users {
		t.Errorf("%d positions, %d of users that left, for %d users", positions, dead, users)
	}
	r.catchUp()
	for range 20 { // live: all changes, as they come
		c.churn(500)
		r.catchUp()
	}
	if r.resyncs != 0 {
		t.Errorf("%d resyncs without an overflow", r.resyncs)
	}
}

// A queue of changes that overflows starts a fresh snapshot, which gets to live as the first did.
func TestPresenceOverflow(t *testing.T) {
	h := backend.NewHub(backend.HubOptions{QueueEvents: 100})
	c := newCrowd(h, 3000)
	r := newSlowReader(t, c, "default", 1)
	for c.set == nil || r.lives == 0 {
		c.load()
		r.read(1000)
	}
	r.catchUp()
	for n := 1; n <= 5; n++ {
		r.slow(10, "a live after an overflow", func() bool { return r.resyncs == n && r.live })
		r.catchUp()
	}
	if got := h.Stats().Resyncs; got != 5 || r.lives != 6 {
		t.Errorf("%d resyncs, %d times live", got, r.lives)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Consumers of one group share the users by their slots, while some come and go, read at their own
// pace, and users come and go: in the end each knows the truth about its part, and nobody is told
// to two.
func TestPresenceOfManyShared(t *testing.T) {
	h := backend.NewHub(backend.HubOptions{QueueEvents: 2000})
	c := newCrowd(h, 5000)
	readers := []*slowReader{newSlowReader(t, c, "g", 1), newSlowReader(t, c, "all", 2)}
	now := int64(0)
	for round := range 600 {
		if round%30 == 10 && len(readers) < 5 {
			readers = append(readers, newSlowReader(t, c, "g", 1))
		}
		if round%50 == 49 {
			gone := 2 * c.rng.IntN(2) // sometimes the first one
			h.Leave(readers[gone].k, readers[gone].batch[readers[gone].done:], false)
			readers = append(readers[:gone], readers[gone+1:]...)
			if gone == 0 { // "all" is always at 1
				readers = append([]*slowReader{readers[1], readers[0]}, readers[2:]...)
			}
		}
		for i, r := range readers {
			r.read(100 * (i + 1))
		}
		for range 20 { // events, so that slots do not come to rest at once
			u := c.users[c.rng.IntN(len(c.users))]
			offer(h, string(u.tenant), string(u.uid))
		}
		c.churn(30)
		c.load()
		now += 100
		h.Tick(now)
	}
	for busy := true; busy || h.Stats().Moving > 0; {
		busy = false
		for _, r := range readers {
			busy = r.read(1<<20) || busy
		}
	}
	resyncs := 0
	for i, r := range readers {
		resyncs += r.resyncs
		if wrong := r.wrong(c.online); wrong > 0 || !r.live {
			t.Errorf("reader %d: live %v, wrong about %d users", i, r.live, wrong)
		}
	}
	for i, online := range c.online {
		told := 0
		for n, r := range readers {
			if n != 1 && r.view[i] {
				told++
			}
		}
		if told > 1 || online != (told == 1) || online != readers[1].view[i] {
			t.Fatalf("user %d is online: %v, told to %d of the group", i, online, told)
		}
	}
	if len(readers) < 3 || resyncs == 0 {
		t.Errorf("%d readers, %d resyncs: the test says nothing", len(readers), resyncs)
	}
}
