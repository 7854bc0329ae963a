package bench

// watch checks the numbered events of one run on every connection of a loop. Each connection has a
// counter for each stream of events that it is to get: its user's own, the broadcasts, and one for
// each topic that it is in. Only one that has missed something has more state, in the map, so that
// the common case costs a comparison.
//
//	number == upTo+1  in order
//	number >  upTo+1  the numbers between are missing, so far
//	number <= upTo    it was missing: it comes late (reordered); it was not: it is doubled
//
// What is still missing at the end is lost. Of a connection that comes and goes it is told apart
// why (absence.go).
type watch struct {
	run     uint32
	first   int // number of the loop's first connection
	members membership
	upTo    []uint32 // by counter: slot times counters a connection, and the stream's place
	missing map[int32]map[uint32]cause
	why     []cause // by slot: of what is missing before the next event; nil = nobody leaves
	tally   watchTally
	latency *latency
	lastAt  int64 // ns of CLOCK_MONOTONIC: when the last event came
}

// watchTally is what the connections of a loop have seen; tallies of loops add up.
type watchTally struct {
	Events    int64 `json:"events"`    // numbered events of this run, doubled ones included
	Batches   int64 `json:"batches"`   // messages that carried pushed events
	Foreign   int64 `json:"foreign"`   // other events
	Gaps      int64 `json:"gaps"`      // gaps that the server told of
	Doubled   int64 `json:"doubled"`   // events seen before
	Reordered int64 `json:"reordered"` // events that came after a later one
	Strayed   int64 `json:"strayed"`   // events to a topic that the connection is not in
	Lost      int64 `json:"lost"`      // events never seen; known at the end
	Unchecked int64 `json:"unchecked"` // missing events over missingMax, counted as lost at once

	LostOutside int64 `json:"lost_outside"` // pushed while away for longer than the server keeps
	LostReset   int64 `json:"lost_reset"`   // in flight when the client reset its connection

	// Received while the client left, and again when it was back: the server could not know.
	DoubledLeaving int64 `json:"doubled_leaving"`
}

// cause is why an event may be missing or come again, as bits; 0 = it must not.
type cause uint8

const (
	causeReset   cause = 1 << iota // the connection was reset, and it may have been in flight
	causeOutside                   // the client was away for longer than the server promises to keep
	causeLate                      // it came after the client had said that it goes: may come again
)

// missingMax bounds the memory of a watch: numbers remembered for one counter.
const missingMax = 100_000

// watchPlan is what a worker is asked to look for.
type watchPlan struct {
	Run     uint32     `json:"run"`
	Members membership `json:"members"`
	Leaves  bool       `json:"leaves,omitempty"` // connections come and go
}

// newWatch looks at the connections of a loop, count of them, whose numbers begin with first.
func newWatch(p *watchPlan, first, count int) *watch {
	w := &watch{
		run: p.Run, first: first, members: p.Members, latency: newLatency(),
		upTo: make([]uint32, count*p.Members.counters()),
	}
	if p.Leaves {
		w.why = make([]cause, count)
	}
	return w
}

// see checks one event that came on the connection in slot at time now (ns, CLOCK_MONOTONIC), and
// says how long it took (-1 = it is not of this run).
func (w *watch) see(slot int32, e *event, now int64) (ns int64) {
	switch {
	case e.gap:
		w.tally.Gaps++
		return -1
	case !e.numbered || e.run != w.run:
		w.tally.Foreign++
		return -1
	}
	place := w.members.place(w.first+int(slot), e.stream)
	if place < 0 {
		w.tally.Strayed++
		return -1
	}
	w.tally.Events++
	w.latency.record(now - e.at)
	w.lastAt = now
	counter := slot*int32(w.members.counters()) + int32(place)
	why := w.whyOf(slot)
	if e.number == w.upTo[counter]+1 {
		w.upTo[counter]++
	} else if !w.disorder(counter, e.number, why) {
		if why&(causeReset|causeLate) != 0 {
			w.tally.DoubledLeaving++
			return now - e.at // more of them may follow
		}
		w.tally.Doubled++
	}
	if why != 0 {
		w.why[slot] = 0
	}
	return now - e.at
}

func (w *watch) whyOf(slot int32) cause {
	if w.why == nil {
		return 0
	}
	return w.why[slot]
}

// disorder is see for a number that was not expected now; false = it was seen before.
func (w *watch) disorder(counter int32, number uint32, why cause) bool {
	missing := w.missing[counter]
	next := w.upTo[counter] + 1
	if number < next {
		_, ok := missing[number]
		if ok {
			delete(missing, number)
			w.tally.Reordered++
		}
		return ok
	}
	if missing == nil {
		missing = make(map[uint32]cause)
		if w.missing == nil {
			w.missing = make(map[int32]map[uint32]cause)
		}
		w.missing[counter] = missing
	}
	for n := next; n < number; n++ {
		if len(missing) == missingMax {
			w.tally.Unchecked += int64(number - n)
			break
		}
		missing[n] = why
	}
	w.upTo[counter] = number
	return true
}

// complete says whether the connection in slot has all of the numbers up to the last ones, but
// those that it cannot have.
func (w *watch) complete(slot int32, last *lasts) bool {
	var t watchTally
	w.addLost(slot, last, &t)
	return t.Lost == 0
}

// addLost counts what the connection in slot lacks of the numbers up to the last ones.
func (w *watch) addLost(slot int32, last *lasts, t *watchTally) {
	number, each := w.first+int(slot), int32(w.members.counters())
	for place := range each {
		counter := slot*each + place
		for _, why := range w.missing[counter] {
			t.addMissing(why, 1)
		}
		want := last.of(number, w.members.stream(number, int(place)))
		if got := w.upTo[counter]; got < want {
			t.addMissing(w.whyOf(slot), int64(want-got))
		}
	}
}

func (t *watchTally) addMissing(why cause, n int64) {
	switch {
	case why&causeOutside != 0:
		t.LostOutside += n
	case why&causeReset != 0:
		t.LostReset += n
	default:
		t.Lost += n
	}
}

func (t *watchTally) add(o *watchTally) {
	t.Events += o.Events
	t.Batches += o.Batches
	t.Foreign += o.Foreign
	t.Gaps += o.Gaps
	t.Doubled += o.Doubled
	t.Reordered += o.Reordered
	t.Strayed += o.Strayed
	t.Lost += o.Lost
	t.Unchecked += o.Unchecked
	t.LostOutside += o.LostOutside
	t.LostReset += o.LostReset
	t.DoubledLeaving += o.DoubledLeaving
}
