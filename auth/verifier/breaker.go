package verifier

import "sync"

// breaker keeps requests from an application that does not answer: they would only fill the queue
// and wait for nothing.
//
//	closed --(limit failures, none good between)--> open --(openMs)--> probe --good--> closed
//	                                                 ^-----------------bad---'
//
// A failure is a timeout or no connection; an application that answers nonsense does so at once,
// and is asked on. So a client cannot close the way for others by what it sends, unless it makes
// the application hang, and nobody else is answered meanwhile.
type breaker struct {
	limit  int
	openMs int64

	mu       sync.Mutex
	failures int   // since something was good
	until    int64 // ms; 0 = closed
	probing  bool
	opens    uint64
	turn     uint64 // grows when it opens or closes: what was asked before counts no more
}

// pass tells whether one more may be asked, and whether it is the probe.
func (b *breaker) pass(nowMs int64) (ok, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.until == 0:
		return true, false
	case b.probing || nowMs < b.until && b.until-nowMs <= b.openMs: // else the clock went back
		return false, false
	}
	b.probing = true
	return true, true
}

// open tells whether what waits in the queue is not asked any more. turn is for bad.
func (b *breaker) open() (open bool, turn uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.until != 0, b.turn
}

// good notes an answer.
func (b *breaker) good() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until != 0 {
		b.turn++
	}
	b.failures, b.until, b.probing = 0, 0, false
}

// bad notes a failure of what was begun in a turn.
func (b *breaker) bad(nowMs int64, probe bool, turn uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !probe && turn != b.turn {
		return
	}
	b.failures++
	if probe || b.failures >= b.limit {
		b.until = nowMs + b.openMs
		b.opens++
		b.turn++
	}
	if probe {
		b.probing = false
	}
}

// unprobed notes that the probe was not asked.
func (b *breaker) unprobed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
}

// told gives how often it opened, and whether it is open.
func (b *breaker) told() (opens uint64, open bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opens, b.until != 0
}
