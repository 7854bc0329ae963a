package admit

import "sync/atomic"

// Gate counts connections against two limits: hard, the number that may be open
// at all (file descriptors), and soft, the number that may be served. Between the
// two lies the room in which a newcomer waits for a place instead of being turned
// away.
//
// Any goroutine.
type Gate struct {
	hard, soft   int64
	open, served atomic.Int64
}

// NewGate makes a gate; soft must not exceed hard.
func NewGate(soft, hard int) *Gate { return &Gate{soft: int64(soft), hard: int64(hard)} }

// Open counts a new connection in, or refuses it at the hard limit.
func (g *Gate) Open() bool { return enter(&g.open, g.hard) }

// Serve gives an open connection a place among those that are served, or refuses
// at the soft limit.
func (g *Gate) Serve() bool { return enter(&g.served, g.soft) }

// Close takes a connection out; served says whether Serve had let it in.
func (g *Gate) Close(served bool) {
	if served {
		g.served.Add(-1)
	}
	g.open.Add(-1)
}

// Counts tells how many connections are open and how many of them are served.
func (g *Gate) Counts() (open, served int) {
	return int(g.open.Load()), int(g.served.Load())
}

func enter(n *atomic.Int64, limit int64) bool {
	if n.Add(1) > limit {
		n.Add(-1)
		return false
	}
	return true
}
