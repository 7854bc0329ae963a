package admit

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync"

	"github.com/chskd/chskd/rate"
)

// Host is the part of an address by which it is counted. Of IPv4 it is the address. Of
// IPv6 it is the /64: that is the least that a subscriber gets (RFC 6177, RFC 7934), and
// within it each chooses its addresses freely (RFC 8981), so that a count by address
// would bound nobody, and could be made to grow without bound by one. A subscriber with
// a shorter prefix has as many shares as it has /64; the limits on all bound those.
//
// The zero value names nobody.
type Host uint64

// HostOf gives the host of an address in the form of Clean.
func HostOf(a netip.Addr) Host {
	switch {
	case a.Is4():
		b := a.As4()
		// In ::/8, which no host has: reserved by RFC 4291 §2.5.
		return 1<<32 | Host(binary.BigEndian.Uint32(b[:]))
	case a.Is6():
		b := a.As16()
		return max(Host(binary.BigEndian.Uint64(b[:])), 1) // ::1 is somebody, too
	}
	return 0
}

const (
	addressShards = 64
	addressRoom   = 16 // connections of one host that may be open beyond twice its limit
	sweepStep     = 4  // hosts that are looked at whenever one comes in
	sweepFull     = 16 // and that many when there is no room
)

// Addresses knows of each host how many connections it has, and how many handshakes it
// has begun lately. It is asked once for each of those, by all loops; so it is split in
// shards, each with a mutex that is held for a few lines.
//
// It is bounded in number. A host without connections whose bucket has recovered is like
// one that was never seen: it is forgotten when the sweep comes to it, which looks at a
// few hosts whenever another comes in, in the order in which they came, so that nothing
// is ever scanned. At the bound the oldest without connections is forgotten early, and
// what that host gets is its burst anew.
//
// Any goroutine.
type Addresses struct {
	open       uint32
	conns      uint32
	handshakes rate.Limit
	max        int // hosts of a shard
	seed       maphash.Seed
	shards     [addressShards]addressShard
}

type addressShard struct {
	mu    sync.Mutex
	hosts map[Host]host
	queue []Host // of the sweep: hosts in the order in which they came; a ring
	head  int
	len   int
	_     [24]byte
}

// host is what is known of one. conns <= open. Without pointers, so that a table of a million costs
// the garbage collector nothing.
type host struct {
	open       uint32 // connections
	conns      uint32 // those of them that are served
	handshakes rate.Bucket
}

// NewAddresses makes a table with the limits per host: connections (0 = any number) and
// handshakes a second (0 = any). max bounds the hosts that are known at once, at least;
// it must be more than there can be connections.
func NewAddresses(conns, handshakes, max int) *Addresses {
	a := &Addresses{open: uint32(2*conns + addressRoom), conns: uint32(conns), handshakes: rate.PerSecond(handshakes, 1),
		max: max/addressShards*5/4 + 64, seed: maphash.MakeSeed()}
	for i := range a.shards {
		a.shards[i].hosts = map[Host]host{}
	}
	return a
}

// Open counts a new connection of h, or refuses it: at twice the limit and a few, for those
// who wait for a place, and those who say nothing. As with Gate, whose limits are of all.
func (a *Addresses) Open(h Host, now uint32) bool {
	s := a.shard(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	k := a.host(s, h, now)
	if a.conns > 0 && k.open >= a.open {
		return false
	}
	k.open++
	s.hosts[h] = k
	return true
}

// Enter gives an open connection of h a place among those that are served, or refuses it
// at the limit.
func (a *Addresses) Enter(h Host) bool {
	s := a.shard(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.hosts[h]
	if k.conns == k.open {
		panic("admit: a connection enters that was not opened")
	}
	if a.conns > 0 && k.conns >= a.conns {
		return false
	}
	k.conns++
	s.hosts[h] = k
	return true
}

// Leave takes a connection out that Open had counted; entered says whether Enter had.
func (a *Addresses) Leave(h Host, entered bool) {
	s := a.shard(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.hosts[h]
	if k.open == 0 || entered && k.conns == 0 {
		panic("admit: a connection leaves that did not enter")
	}
	k.open--
	if entered {
		k.conns--
	}
	s.hosts[h] = k
}

// Handshake uses one handshake of h, or refuses.
func (a *Addresses) Handshake(h Host, now uint32) bool {
	s := a.shard(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	k := a.host(s, h, now)
	ok := k.handshakes.Take(&a.handshakes, now, 1)
	s.hosts[h] = k
	return ok
}

// Len is the number of hosts that are known.
func (a *Addresses) Len() int {
	n := 0
	for i := range a.shards {
		s := &a.shards[i]
		s.mu.Lock()
		n += len(s.hosts)
		s.mu.Unlock()
	}
	return n
}

// Conns is the number of connections that are counted, over all hosts. It looks at each.
func (a *Addresses) Conns() int {
	n := 0
	for i := range a.shards {
		s := &a.shards[i]
		s.mu.Lock()
		for _, k := range s.hosts {
			n += int(k.open)
		}
		s.mu.Unlock()
	}
	return n
}

func (a *Addresses) shard(h Host) *addressShard {
	return &a.shards[maphash.Comparable(a.seed, h)%addressShards]
}

// host finds h, or takes it in.
func (a *Addresses) host(s *addressShard, h Host, now uint32) host {
	if k, ok := s.hosts[h]; ok {
		return k
	}
	steps := sweepStep
	if len(s.hosts) >= a.max {
		steps = sweepFull
	}
	for range min(steps, s.len) {
		a.sweep(s, now, len(s.hosts) >= a.max)
	}
	s.hosts[h] = host{}
	s.push(h)
	return host{}
}

// sweep looks at the host that has not been looked at for longest.
func (a *Addresses) sweep(s *addressShard, now uint32, full bool) {
	h := s.pop()
	k := s.hosts[h]
	if k.open == 0 && (full || k.handshakes.Idle(&a.handshakes, now)) {
		delete(s.hosts, h)
		return
	}
	s.push(h)
}

func (s *addressShard) pop() Host {
	h := s.queue[s.head]
	s.head = (s.head + 1) % len(s.queue)
	s.len--
	return h
}

func (s *addressShard) push(h Host) {
	if s.len == len(s.queue) {
		grown := make([]Host, max(8, 2*s.len))
		n := copy(grown, s.queue[s.head:])
		copy(grown[n:], s.queue[:s.head])
		s.queue, s.head = grown, 0
	}
	s.queue[(s.head+s.len)%len(s.queue)] = h
	s.len++
}
