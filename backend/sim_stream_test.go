package backend_test

import (
	"math"

	"github.com/chskd/chskd/backend"
)

type simState uint8

const (
	simWaiting simState = iota // in the hub, or lost and nobody knows yet
	simGiven                   // a stream has it
	simDone                    // it was acked; or written, where nobody acks
	simLost                    // told as a gap, or overtaken by a newer one of its user
)

// simEvent is an event as one group has to account for it.
type simEvent struct {
	n         int
	index     int // in the group's list
	user      *simUser
	state     simState
	by        *simStream
	seq       uint64
	written   bool
	writtenAt int64
	heldAt    int64 // since when it can only be held; -1 = never
	toldLost  bool  // as missed, where gaps are checked for their place
	excused   bool  // it may be lost
	again     bool  // a stream that died had been written it
}

// simGap is how many events a line of a batch tells as missed.
type simGap struct {
	line int
	n    uint64
}

// simGroup is what one group has to account for: each event is given, in order, or told as missed.
type simGroup struct {
	name   string
	ack    bool
	all    []*simEvent
	byN    []*simEvent // by number
	byUser map[*simUser][]*simEvent
	told   uint64 // as missed
	lost   uint64
	slots  [simSlots]struct {
		by *simStream
		n  int
	}

	next int    // with one consumer at a time: the index after the last event it was given
	acc  uint64 // what it was told as missed since
}

func newSimGroup(name string, ack bool) *simGroup {
	return &simGroup{name: name, ack: ack, byUser: map[*simUser][]*simEvent{}}
}

func (g *simGroup) add(n int, u *simUser, empty bool, now int64) {
	e := &simEvent{n: n, index: len(g.all), user: u, heldAt: -1}
	if empty {
		e.heldAt = now
	}
	g.all = append(g.all, e)
	for len(g.byN) <= n {
		g.byN = append(g.byN, nil)
	}
	g.byN[n] = e
	g.byUser[u] = append(g.byUser[u], e)
}

// forget: the hub has let go of all that was held.
func (g *simGroup) forget() { *g = *newSimGroup(g.name, g.ack) }

// startStream: what was held for too long may not be given any more.
func (g *simGroup) startStream(w *simWorld) {
	for _, e := range g.all {
		if e.state == simWaiting && e.heldAt >= 0 && w.now-e.heldAt > w.cfg.holdMs {
			e.state, e.excused = simLost, true
			g.lost++
		}
		e.heldAt = -1
	}
}

// lose: the event does not come. With room for all that must not be, before it is held too long.
func (g *simGroup) lose(w *simWorld, e *simEvent) {
	if w.cfg.roomy && !e.excused && w.cfg.onFull == backend.OnFullHold {
		w.fail("%s: event %d is missing, though there is room", g.name, e.n)
	}
	e.state = simLost
	g.lost++
}

// checkAccounts: what was not given is what was told as missed.
func (g *simGroup) checkAccounts(w *simWorld) {
	for _, e := range g.all {
		switch e.state {
		case simWaiting:
			g.lose(w, e)
		case simGiven:
			w.fail("%s: event %d is still with stream %d", g.name, e.n, e.by.n)
		}
	}
	if g.told != g.lost {
		w.fail("%s: %d events were missed, %d were told", g.name, g.lost, g.told)
	}
}

// simStream is one consumer with its writer, and the backend that reads it.
type simStream struct {
	w    *simWorld
	g    *simGroup
	c    *backend.Consumer
	n    int
	mode int

	batch  []backend.Entry     // taken
	done   int                 // of batch, written
	gaps   map[int][]*simEvent // those that a line of batch tells as missed
	gapsOf []simGap            // lines whose events are not known yet
	out    []*simEvent         // given and not done, in order
	more   bool
	taken  uint64
	acked  uint64
	late   bool // has not acked for too long

	view      map[string]bool
	sawLive   bool
	frozeAt   int // of the history; -1 = not frozen
	liveAt    int // where the live line of batch stands in the history
	liveSlots [simSlots]bool
}

func (s *simStream) take() {
	if s.done < len(s.batch) {
		return
	}
	if s.w.cfg.churny && s.mode > 0 && !s.sawLive {
		for range 2 * simChunk {
			s.w.presence()
		}
	}
	wasFrozen := s.c.Frozen()
	batch, more, ended := s.w.h.Take(s.c, s.batch)
	s.batch, s.done, s.more = batch, 0, more
	clear(s.gaps)
	if ended {
		s.cut()
		return
	}
	if s.late {
		s.w.fail("stream %d is late with an ack and was not cut", s.n)
	}
	if s.c.Frozen() && !wasFrozen {
		s.frozeAt = len(s.w.history)
		s.w.seen.frozen++
	} else if !wasFrozen {
		s.frozeAt = -1
	}
	for i := range s.batch {
		s.given(i)
	}
	if s.w.cfg.solo {
		s.exactGap(len(s.g.all))
	}
}

// cut: the hub ends the stream, which it may only for an ack that is late.
func (s *simStream) cut() {
	if s.c.Cut() == nil {
		s.w.fail("stream %d ended without a reason", s.n)
	}
	s.w.say("stream %d is cut: %s", s.n, s.c.Cut().Message)
	if !s.late {
		s.w.fail("stream %d is cut (%s) and is not late", s.n, s.c.Cut().Message)
	}
	s.die(false)
}

// given checks what the hub gives at the moment of giving.
func (s *simStream) given(i int) {
	e, g, w := &s.batch[i], s.g, s.w
	g.acc += e.Missed()
	s.gapsOf = append(s.gapsOf, simGap{i, e.Missed()})
	switch e.Tells() {
	case "live":
		s.liveAt = len(w.history)
		for slot := range simSlots {
			s.liveSlots[slot] = s.c.Follows(slot)
		}
	case "event":
		n := number(e.Value())
		if n >= len(g.byN) {
			w.fail("stream %d is given event %d, which is not for %s", s.n, n, g.name)
		}
		ev := g.byN[n]
		if ev == nil || ev.state != simWaiting {
			w.fail("stream %d is given event %d: %+v", s.n, number(e.Value()), ev)
		}
		w.say("stream %d takes event %d as %d, after %d missed", s.n, ev.n, e.Seq(), e.Missed())
		if w.cfg.solo {
			s.exactGap(ev.index)
			g.next = ev.index + 1
		}
		s.order(ev)
		if e.Again() != ev.again {
			w.fail("event %d: redelivered is %v, it was written before: %v", ev.n, e.Again(), ev.again)
		}
		if e.Seq() <= s.taken {
			w.fail("stream %d: seq %d after %d", s.n, e.Seq(), s.taken)
		}
		ev.state, ev.by, ev.seq, ev.written = simGiven, s, e.Seq(), false
		s.out = append(s.out, ev)
		if slot := &g.slots[ev.user.slot]; slot.n > 0 && slot.by != s {
			w.fail("slot %d moved to stream %d, stream %d has %d of it", ev.user.slot, s.n, slot.by.n,
				slot.n)
		}
		g.slots[ev.user.slot].by = s
		g.slots[ev.user.slot].n++
	}
	s.taken = max(s.taken, e.Seq())
}

// order: an event of the same user that is older and was not given yet never comes.
func (s *simStream) order(ev *simEvent) {
	for _, o := range s.g.byUser[ev.user] {
		switch {
		case o == ev:
			return
		case o.state == simWaiting:
			s.g.lose(s.w, o)
		}
	}
}

// exactGap: with one consumer at a time a gap stands where the events are missing, and counts them.
// Several lines may tell the parts of one: each is of the next of the events.
func (s *simStream) exactGap(index int) {
	g := s.g
	var missing []*simEvent
	for _, o := range g.all[g.next:max(index, g.next)] {
		if o.state == simWaiting {
			g.lose(s.w, o)
		}
		if o.state == simLost && !o.toldLost {
			missing = append(missing, o)
		}
	}
	if uint64(len(missing)) != g.acc {
		s.w.fail("stream %d: before event at %d %d are missing, told are %d", s.n, index, len(missing),
			g.acc)
	}
	for _, o := range missing {
		for s.gapsOf[0].n == 0 {
			s.gapsOf = s.gapsOf[1:]
		}
		s.gapsOf[0].n--
		s.gaps[s.gapsOf[0].line] = append(s.gaps[s.gapsOf[0].line], o)
		o.toldLost = true
		s.w.seen.exactGaps++
	}
	g.acc, g.next, s.gapsOf = 0, max(index, g.next), nil
}

func (s *simStream) settle() { s.settleUpTo(s.done + 1 + s.w.rng.IntN(4)) }

func (s *simStream) settleAll() { s.settleUpTo(len(s.batch)) }

// settleUpTo writes a piece of the batch; its reader sees it.
func (s *simStream) settleUpTo(end int) {
	end = min(end, len(s.batch))
	if s.done >= end {
		return
	}
	piece := s.batch[s.done:end]
	for i := range piece {
		s.read(&piece[i])
	}
	s.done = end
	s.w.say("stream %d writes %d", s.n, len(piece))
	s.w.h.Settle(s.c, piece)
	s.finish()
}

// finish: what is written, and acked where that is asked, is done.
func (s *simStream) finish() {
	acked := s.acked
	if !s.g.ack {
		acked = math.MaxUint64
	}
	for len(s.out) > 0 && s.out[0].written && s.out[0].seq <= acked {
		s.out[0].state = simDone
		s.g.slots[s.out[0].user.slot].n--
		s.out = s.out[1:]
	}
}

// read is the backend's side of a line.
func (s *simStream) read(e *backend.Entry) {
	s.g.told += e.Missed()
	switch e.Tells() {
	case "event":
		ev := s.g.byN[number(e.Value())]
		ev.written, ev.writtenAt = true, s.w.now
	case "open", "close":
		open := e.Tells() == "open"
		if s.view[e.Key()] == open {
			s.w.fail("stream %d: %s of %q twice", s.n, e.Tells(), e.Key())
		}
		s.w.say("stream %d reads %s of %q", s.n, e.Tells(), e.Key())
		if s.view[e.Key()] = open; !open {
			delete(s.view, e.Key())
		}
	case "resync":
		s.w.say("stream %d resyncs", s.n)
		s.view, s.sawLive = map[string]bool{}, false
	case "live":
		s.checkLive()
	}
}

func (s *simStream) ack() {
	if !s.g.ack {
		if err := s.w.h.Ack(s.w.h.Epoch(), s.c.ID(), 0); err == nil || err.Code != "bad_ack" {
			s.w.fail("an ack of one that does not: %v", err)
		}
		return
	}
	err := s.w.h.Ack("other", s.c.ID(), 1)
	if err == nil || err.Code != "stale_ack" || err.Status != 409 {
		s.w.fail("an ack of another epoch: %v", err)
	}
	err = s.w.h.Ack(s.w.h.Epoch(), s.c.ID(), s.taken+1)
	if err == nil || err.Code != "bad_ack" {
		s.w.fail("an ack of what was not given: %v", err)
	}
	if len(s.out) == 0 {
		return
	}
	ev := s.out[s.w.rng.IntN(len(s.out))]
	if !ev.written {
		s.w.seen.wickedAcks++
	}
	s.ackUpTo(ev.seq)
}

func (s *simStream) ackAll() {
	if s.g.ack {
		s.ackUpTo(s.taken)
	}
}

func (s *simStream) ackUpTo(seq uint64) {
	s.w.say("stream %d acks %d", s.n, seq)
	if err := s.w.h.Ack(s.w.h.Epoch(), s.c.ID(), seq); err != nil {
		s.w.fail("ack %d: %v", seq, err)
	}
	s.acked = max(s.acked, seq)
	s.finish()
}

// die ends the stream. What was not done waits again, also the gaps that were not told.
func (s *simStream) die(cut bool) {
	g := s.g
	for i := len(s.batch); i >= s.done; i-- {
		for _, o := range s.gaps[i] {
			o.state, o.toldLost, o.excused = simWaiting, false, true
			g.lost--
			g.next = min(g.next, o.index)
		}
	}
	unwritten := s.batch[s.done:]
	s.w.say("stream %d dies, %d not written, %d not done", s.n, len(unwritten), len(s.out))
	for _, ev := range s.out {
		g.slots[ev.user.slot].n--
		if g.ack && ev.seq <= s.acked {
			ev.state = simDone
			continue
		}
		ev.state, ev.again = simWaiting, ev.again || ev.written
		ev.written = false
		g.next = min(g.next, ev.index)
	}
	s.w.h.Leave(s.c, unwritten, cut)
	if err := s.w.h.Ack(s.w.h.Epoch(), s.c.ID(), 1); err == nil || err.Code != "stale_ack" {
		s.w.fail("an ack of one that left: %v", err)
	}
	if _, empty, _ := s.w.h.GroupEmpty(g.name); empty {
		for _, e := range g.all {
			if e.state == simWaiting {
				e.heldAt = s.w.now
			}
		}
	}
	for i, o := range s.w.streams {
		if o == s {
			s.w.streams = append(s.w.streams[:i], s.w.streams[i+1:]...)
			break
		}
	}
}

// checkLive: what the reader believes is the truth of the moment when live was said, or when its
// snapshot was frozen.
func (s *simStream) checkLive() {
	if s.sawLive {
		s.w.fail("stream %d: live twice", s.n)
	}
	s.sawLive = true
	s.w.seen.lives++
	at := s.liveAt
	if s.frozeAt >= 0 {
		at = s.frozeAt
	}
	truth := map[string]bool{}
	for key, on := range s.w.online {
		truth[key] = on
	}
	for i := len(s.w.history) - 1; i >= at; i-- {
		truth[s.w.history[i]] = !truth[s.w.history[i]]
	}
	s.compare(truth, s.liveSlots)
}

// checkView: at rest the reader believes the truth of now.
func (s *simStream) checkView() {
	if s.mode == 0 {
		return
	}
	if !s.sawLive {
		s.w.fail("stream %d is not live", s.n)
	}
	var follows [simSlots]bool
	for slot := range simSlots {
		follows[slot] = s.c.Follows(slot)
	}
	s.compare(s.w.online, follows)
}

func (s *simStream) compare(truth map[string]bool, follows [simSlots]bool) {
	for _, u := range s.w.users {
		if want := truth[u.key] && follows[u.keySlot]; s.view[u.key] != want {
			s.w.fail("stream %d believes %v of %q, the truth is %v", s.n, s.view[u.key], u.key, want)
		}
	}
}
