package backend_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/packer"
)

var bigValue = ` "` + strings.Repeat("x", 2000) + `"`

var simGroups = []string{"default", "work"}

const simSlots, simChunk, simUsers = 16, 3, 24

// simUser is one who sends events and comes and goes. The nil ones of a tenant share their
// presence.
type simUser struct {
	tenant, uid, client string
	nilUID              bool
	key                 string
	slot, keySlot       int
	shards              int // that have it, when it is nil
}

// simWorld is the hub and what is known of it from outside.
type simWorld struct {
	rng     *rand.Rand
	cfg     simConfig
	h       *backend.Hub
	now     int64
	users   []*simUser
	events  int
	value   []byte
	groups  map[string]*simGroup
	streams []*simStream
	streamN int

	online  map[string]bool // by key
	history []string        // keys whose presence flipped
	set     any             // that is being loaded
	pages   []*simPage

	seen struct{ frozen, fenced, wickedAcks, lives, exactGaps int }
}

// simPage is one of those that fill the set: captured at some time, handed over later.
type simPage struct {
	part     int
	captured *backend.Connected
}

func newSimWorld(seed int64) *simWorld {
	rng := rand.New(rand.NewPCG(uint64(seed), 4))
	w := &simWorld{
		rng: rng, cfg: newSimConfig(rng), groups: map[string]*simGroup{}, online: map[string]bool{},
	}
	w.h = backend.NewSmallHub(w.cfg.options(), simSlots, simChunk)
	for i := range simUsers {
		u := &simUser{
			tenant: []string{"", "t"}[i%2], uid: fmt.Sprint("u", i/2), client: fmt.Sprint("c", i),
		}
		if i >= simUsers-4 {
			u.uid, u.nilUID = "", true
		}
		u.key = backend.KeyOf(u.tenant, u.uid, u.nilUID)
		u.slot = w.h.Slot(u.tenant, u.uid, u.nilUID, u.client)
		u.keySlot = w.h.Slot(u.tenant, u.uid, u.nilUID, "")
		w.users = append(w.users, u)
	}
	w.groups["default"] = newSimGroup("default", w.cfg.ack["default"])
	return w
}

func (w *simWorld) fail(format string, args ...any) {
	panic(broken(fmt.Sprintf("at %d ms: ", w.now) + fmt.Sprintf(format, args...)))
}

func (w *simWorld) say(format string, args ...any) {
	if *hubSeed >= 0 {
		fmt.Printf("%7d ms  "+format+"\n", append([]any{w.now}, args...)...)
	}
}

func (w *simWorld) step() {
	switch n := w.rng.IntN(100); {
	case n < 34:
		for range 1 + w.rng.IntN(3) {
			w.event()
		}
	case n < 40:
		w.subscribe()
	case n < 56:
		w.anyStream((*simStream).take)
	case n < 72:
		w.anyStream((*simStream).settle)
	case n < 80:
		w.anyStream((*simStream).ack)
	case n < 83:
		w.anyStream(func(s *simStream) { s.die(w.rng.IntN(2) == 0) })
	case n < 89:
		w.tick([]int64{100, 300, 1500, 10_000, 25_000, 400_000}[min(w.rng.IntN(7), w.rng.IntN(7), 5)])
	case n < 96 || w.cfg.churny:
		for range 1 + w.rng.IntN(4) {
			w.presence()
		}
	default:
		w.page()
	}
}

func (w *simWorld) anyStream(do func(*simStream)) {
	if len(w.streams) > 0 {
		do(w.streams[w.rng.IntN(len(w.streams))])
	}
}

func (w *simWorld) tick(ms int64) {
	w.now += ms
	w.h.Tick(w.now)
	for _, s := range w.streams {
		if s.g.ack && len(s.out) > 0 && s.out[0].written && w.now-s.out[0].writtenAt >= w.cfg.ackMs {
			s.late = true
		}
	}
	for _, g := range w.groups {
		if there, empty, asleep := w.h.GroupEmpty(g.name); empty && (!there || asleep) {
			w.say("nobody is meant to hear of %s", g.name)
			g.forget()
		}
	}
}

// event offers one, and notes it for the groups that have to account for it.
func (w *simWorld) event() {
	u := w.users[w.rng.IntN(len(w.users))]
	n := w.events
	w.events++
	value := append(append(w.value[:0], "[:n/n "...), fmt.Append(nil, n)...)
	if w.rng.IntN(40) == 0 {
		value = append(value, bigValue...)
	}
	value = append(value, ']')
	w.value = value
	var reply []byte
	if w.rng.IntN(8) == 0 {
		reply = []byte("k")
	}
	for _, name := range simGroups {
		g := w.groups[name]
		if g == nil {
			continue
		}
		there, empty, asleep := w.h.GroupEmpty(g.name)
		if there && !asleep && (!empty || len(reply) == 0) {
			g.add(n, u, empty, w.now)
		}
	}
	waiting := w.h.Stats().Moving
	v := w.h.Event([]byte(u.tenant), []byte(u.uid), u.nilUID, []byte(u.client), false, packer.EDN,
		value, false, reply, time.UnixMilli(w.now))
	if waiting > 0 {
		w.seen.fenced += w.h.Fenced(u.slot)
	}
	w.say("event %d of %s%s slot %d -> %d", n, u.tenant, u.uid, u.slot, v)
	if v == backend.Reject && w.cfg.onFull != backend.OnFullReject {
		w.fail("event %d is rejected, the policy is %s", n, w.cfg.onFull)
	}
	if w.cfg.roomy && w.cfg.onFull == backend.OnFullHold && reply == nil && v != backend.Taken {
		w.fail("event %d was not taken, though there is room", n)
	}
}

func (w *simWorld) subscribe() {
	name := simGroups[w.rng.IntN(len(simGroups))]
	if _, empty, _ := w.h.GroupEmpty(name); w.cfg.solo && !empty || len(w.streams) > 7 {
		return
	}
	mode := 0
	if w.cfg.presence {
		mode = w.rng.IntN(3)
	}
	w.join(name, mode)
}

func (w *simWorld) join(name string, mode int) {
	ack := w.cfg.ack[name]
	if _, empty, _ := w.h.GroupEmpty(name); !empty {
		if _, err := w.h.Subscribe(name, !ack, 0); err == nil {
			w.fail("a consumer with ack %v joined those of %s", !ack, name)
		}
	}
	c, err := w.h.Subscribe(name, ack, mode)
	if err != nil {
		w.fail("subscribe: %v", err)
	}
	g := w.groups[name]
	if g == nil {
		g = newSimGroup(name, ack)
		w.groups[name] = g
	}
	g.startStream(w)
	w.streamN++
	s := &simStream{
		w: w, g: g, c: c, n: w.streamN, mode: mode, view: map[string]bool{},
		gaps: map[int][]*simEvent{}, frozeAt: -1,
	}
	w.streams = append(w.streams, s)
	w.say("stream %d is %s of %s, presence %d, ack %v", s.n, c.ID(), name, mode, ack)
}

// presence lets a user come or go. The nil one of a tenant is there while any of its shards has it.
func (w *simWorld) presence() {
	u := w.users[w.rng.IntN(len(w.users))]
	open := !w.online[u.key]
	if u.nilUID {
		u = w.users[simUsers-4+w.rng.IntN(2)] // one of two that count the shards of their tenant
		open = u.shards == 0 || u.shards < 3 && w.rng.IntN(2) == 0
		was := u.shards > 0
		if u.shards--; open {
			u.shards += 2
		}
		if was == (u.shards > 0) {
			w.h.Presence(open, []byte(u.tenant), nil, true)
			return
		}
	}
	w.online[u.key] = open
	w.history = append(w.history, u.key)
	w.say("%s%s slot %d comes or goes: %v", u.tenant, u.uid, u.keySlot, open)
	w.h.Presence(open, []byte(u.tenant), []byte(u.uid), u.nilUID)
}

// page does the next thing to fill the set of who is online: a page is captured, or handed over.
func (w *simWorld) page() {
	set := w.h.PresentSet()
	if set != w.set {
		w.set, w.pages = set, nil
		for part := range 3 {
			w.pages = append(w.pages, &simPage{part: part})
		}
	}
	if set == nil || len(w.pages) == 0 {
		return
	}
	p := w.pages[0]
	if p.captured == nil {
		p.captured = &backend.Connected{}
		for i, u := range w.users {
			if i%3 == p.part && w.online[u.key] {
				p.captured.Users = append(p.captured.Users,
					backend.Online{Tenant: u.tenant, UID: u.uid, NilUID: u.nilUID})
			}
		}
		return
	}
	w.pages = w.pages[1:]
	w.say("page %d", p.part)
	w.h.LoadPage(set, p.captured, len(w.pages) == 0)
}

// checkInside compares the hub's counts with what is there.
func (w *simWorld) checkInside() {
	if err := w.h.Check(); err != nil {
		w.fail("%v", err)
	}
}

// finish lets everybody read to the end, and demands that nothing is unaccounted for.
func (w *simWorld) finish() {
	w.rest()
	for _, g := range w.groups {
		g.checkAccounts(w)
	}
	for _, s := range w.streams {
		s.checkView()
	}
	if st := w.h.Stats(); st.Moving != 0 || st.Queued != 0 || st.Unacked != 0 || st.Held != 0 {
		w.fail("at rest there are %+v", st)
	}
	if d := w.h.Stats().Dropped; w.cfg.roomy && w.cfg.onFull == backend.OnFullHold && d > 0 {
		w.fail("%d events were dropped, though there is room", d)
	}
	for len(w.streams) > 0 {
		w.streams[0].die(false)
	}
	if err := w.h.CheckEmpty(); err != nil {
		w.fail("%v", err)
	}
}

// rest lets everybody read, write and ack until nothing happens any more.
func (w *simWorld) rest() {
	for round := 0; ; round++ {
		if round == 2000 {
			w.fail("it does not come to rest: %+v", w.h.Stats())
		}
		busy := w.h.PresentSet() != nil
		w.page()
		for _, name := range simGroups {
			if there, empty, _ := w.h.GroupEmpty(name); there && empty {
				w.join(name, 0)
			}
		}
		for i := 0; i < len(w.streams); i++ {
			s := w.streams[i]
			s.settleAll()
			s.ackAll()
			before := len(w.streams)
			s.take()
			if busy = busy || len(s.batch) > 0 || s.more; len(w.streams) < before {
				i, busy = i-1, true
			}
		}
		if st := w.h.Stats(); !busy && st.Moving == 0 && st.Queued == 0 && st.Snapshots == 0 {
			return
		}
		w.tick(300)
	}
}

func number(value string) int {
	text := strings.TrimPrefix(value, "[:n/n ")
	n, err := strconv.Atoi(text[:strings.IndexAny(text, " ]")])
	if err != nil {
		panic(broken("what is " + value))
	}
	return n
}
