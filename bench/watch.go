package bench

// watch checks the numbered events of one run on every connection of a loop. Each connection knows
// the next number that it expects (conn.next, 1 at first); only one that has missed something has
// more state, in the map, so that the common case costs a comparison.
//
//	number == next   in order
//	number >  next   the numbers between are missing, so far
//	number <  next   it was missing: it comes late (reordered); it was not: it is doubled
//
// What is still missing at the end is lost.
type watch struct {
	run     uint32
	missing map[int32]map[uint32]struct{} // by connection slot; nil until needed
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
	Lost      int64 `json:"lost"`      // events never seen; known at the end
	Unchecked int64 `json:"unchecked"` // missing events over missingMax, counted as lost at once
}

// missingMax bounds the memory of a watch: numbers remembered for one connection.
const missingMax = 100_000

func newWatch(run uint32) *watch {
	return &watch{run: run, latency: newLatency()}
}

// see checks one event that came on the connection in slot at time now (ns, CLOCK_MONOTONIC).
func (w *watch) see(slot int32, c *conn, e *event, now int64) {
	switch {
	case e.gap:
		w.tally.Gaps++
	case !e.numbered || e.run != w.run:
		w.tally.Foreign++
	default:
		w.tally.Events++
		w.latency.record(now - e.at)
		w.lastAt = now
		if e.number == c.next {
			c.next++
			return
		}
		w.disorder(slot, c, e.number)
	}
}

// disorder is see for a number that was not expected now.
func (w *watch) disorder(slot int32, c *conn, number uint32) {
	missing := w.missing[slot]
	if number < c.next {
		if _, ok := missing[number]; ok {
			delete(missing, number)
			w.tally.Reordered++
		} else {
			w.tally.Doubled++
		}
		return
	}
	if missing == nil {
		missing = make(map[uint32]struct{})
		if w.missing == nil {
			w.missing = make(map[int32]map[uint32]struct{})
		}
		w.missing[slot] = missing
	}
	for n := c.next; n < number; n++ {
		if len(missing) == missingMax {
			w.tally.Unchecked += int64(number - n)
			break
		}
		missing[n] = struct{}{}
	}
	c.next = number + 1
}

// complete says whether the connection in slot has all of the numbers up to last.
func (w *watch) complete(slot int32, c *conn, last uint32) bool {
	return c.next > last && len(w.missing[slot]) == 0
}

// lost counts what the connection in slot lacks of the numbers up to last.
func (w *watch) lost(slot int32, c *conn, last uint32) int64 {
	lost := int64(len(w.missing[slot]))
	if c.next <= last {
		lost += int64(last - c.next + 1)
	}
	return lost
}

func (t *watchTally) add(o *watchTally) {
	t.Events += o.Events
	t.Batches += o.Batches
	t.Foreign += o.Foreign
	t.Gaps += o.Gaps
	t.Doubled += o.Doubled
	t.Reordered += o.Reordered
	t.Lost += o.Lost
	t.Unchecked += o.Unchecked
}
