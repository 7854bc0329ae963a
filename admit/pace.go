package admit

import (
	"sync/atomic"

	"github.com/chskd/chskd/rate"
)

// Pace bounds how often something is begun by all loops together: handshakes. A second's
// worth may come at once.
//
// Any goroutine.
type Pace struct {
	perSecond uint64
	state     atomic.Uint64 // thousandths used (high half), and the ms when that was true
}

// paceMost is the largest rate: a second's worth in thousandths fits in half of state.
const paceMost = 1 << 22

// NewPace makes a pace of n a second; n <= 0 gives nil, which refuses nothing. Over four
// millions it is four millions.
func NewPace(n int) *Pace {
	if n <= 0 {
		return nil
	}
	return &Pace{perSecond: uint64(min(n, paceMost))}
}

// Take uses one at the time now, or refuses. It is rate.Bucket.Take in one word, so that
// loops need no lock; loops whose clocks are apart by a little agree on the later one.
func (p *Pace) Take(now uint32) bool {
	if p == nil {
		return true
	}
	const one = 1000
	for {
		old := p.state.Load()
		used, at := old>>32, uint32(old)
		if passed := rate.Passed(at, now); passed > 0 || used == 0 {
			used -= min(used, uint64(passed)*p.perSecond)
			at = now
		}
		if used+one > p.perSecond*one {
			return false
		}
		if p.state.CompareAndSwap(old, (used+one)<<32|uint64(at)) {
			return true
		}
	}
}
