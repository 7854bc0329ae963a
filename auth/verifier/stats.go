package verifier

import (
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/chskd/chskd/auth"
)

// Result is what a check found out.
type Result int

// The results.
const (
	Granted Result = iota
	Refused        // by the application or the token, 4xx
	Unknown        // 503: nothing was found out
	Results        // the number of results, not one
)

// String is its name in metrics.
func (r Result) String() string { return [...]string{"granted", "refused", "unknown"}[r] }

func resultOf(g *auth.Grant) Result {
	switch {
	case g.Refusal == nil:
		return Granted
	case g.Refusal.Status == 503:
		return Unknown
	}
	return Refused
}

// Reason is why a request was answered 503 without, or in spite of, a check.
type Reason int

// The reasons.
const (
	_        Reason = iota
	Full            // no place in the queue
	Crowded         // too many wait for the same check
	Broken          // the breaker is open
	Late            // waited in the queue for too long
	Revoked         // its user was revoked meanwhile
	Stopping        // the daemon goes down
	Reasons         // one more than the last reason, not one
)

// String is its name in metrics.
func (r Reason) String() string {
	return [...]string{"", "full", "crowded", "breaker", "late", "revoked", "stopping"}[r]
}

// Buckets is how many buckets Times has.
const Buckets = 18

// TimesUnit is the bound of its first bucket.
const TimesUnit = 64 * time.Microsecond

// Times counts durations: bucket i has those above the one before it and up to TimesUnit << i,
// the last all that are longer.
type Times struct {
	Buckets [Buckets]uint64
	Sum     time.Duration
}

// WayStats is what is known of one way to find out who clients are.
type WayStats struct {
	Checks  [Results]uint64
	Unasked [Reasons]uint64
	Waiting int // in the queue
	Busy    int // workers
	Times   Times
}

// Stats is what a Verifier has counted, and what is now.
type Stats struct {
	Hits, Joined, Evicted uint64
	Entries, Bytes        int

	Ways [Kinds]WayStats

	HookFailures, HookTimeouts uint64 // what the breaker counts; the latter are among them
	BreakerOpens               uint64
	BreakerOpen                bool

	Revocations          int
	RevocationsForgotten uint64 // for want of room, before their time
	TokensRevoked        uint64 // refused
}

// Stats gives the numbers. It takes each lock for a moment, one after the other.
func (v *Verifier) Stats() Stats {
	var t Stats
	for i := range v.shards {
		s := &v.shards[i]
		s.mu.Lock()
		t.Hits += s.hits
		t.Joined += s.joined
		t.Evicted += s.evicted
		t.Entries += len(s.entries)
		t.Bytes += s.bytes
		s.mu.Unlock()
	}
	for i := range v.ways {
		v.ways[i].stats(&t.Ways[i])
	}
	t.HookFailures, t.HookTimeouts = v.failures.Load(), v.timeouts.Load()
	t.BreakerOpens, t.BreakerOpen = v.breaker.told()
	v.revocations.mu.RLock()
	t.Revocations, t.RevocationsForgotten = v.revocations.order.Len(), v.revocations.forgotten
	v.revocations.mu.RUnlock()
	t.TokensRevoked = v.revocations.refused.Load()
	return t
}

func (w *way) stats(to *WayStats) {
	for i := range w.results {
		to.Checks[i] = w.results[i].Load()
	}
	for i := range w.unasked {
		to.Unasked[i] = w.unasked[i].Load()
	}
	to.Waiting, to.Busy = int(w.waiting.Load()), int(w.busy.Load())
	for i := range w.times.buckets {
		to.Times.Buckets[i] = w.times.buckets[i].Load()
	}
	to.Times.Sum = time.Duration(w.times.sum.Load())
}

// times is Times that is being counted. Any goroutine.
type times struct {
	buckets [Buckets]atomic.Uint64
	sum     atomic.Int64 // ns
}

func (t *times) observe(d time.Duration) {
	i := 0
	if d > TimesUnit {
		i = min(bits.Len64(uint64((d-1)/TimesUnit)), Buckets-1)
	}
	t.buckets[i].Add(1)
	t.sum.Add(int64(d))
}
