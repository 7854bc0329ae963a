package engine

import (
	"github.com/chskd/chskd/arena"
	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/httpmin"
	"github.com/chskd/chskd/wsframe"
)

// connRef names a connection, or one request of an HTTP connection: loop in the
// top 8 bits, slot in the next 24, generation in the low 32. Every conn has a generation
// of its own, and so has every request that waits for an answer, so that an answer that
// comes late finds nothing. The zero ref names nothing.
type connRef uint64

func makeRef(loop int, slot, gen uint32) connRef {
	return connRef(uint64(loop)<<56 | uint64(slot)<<32 | uint64(gen))
}

func (r connRef) loop() int    { return int(r >> 56) }
func (r connRef) slot() uint32 { return uint32(r>>32) & (1<<24 - 1) }
func (r connRef) gen() uint32  { return uint32(r) }

// connState is where a connection is in its life.
//
//	sProxy: the PROXY header of a trusted peer, if conns must begin with one; then
//
//	        head complete           body complete
//	sHead ----------------> sBody ----------------> sWait (poll, post with callback)
//	  |  ^                                            |
//	  |  +------------------ answered ----------------+
//	  +-- no place: sHeld --> sHead again, or 503 (limits_held.go)
//	  +-- whose is it: sAsked --> on, when it is known (verify.go)
//	  +-- upgrade: sWS (gated until home has answered `attached`)
//	                |
//	                +--> sClosing: our close frame or last answer is out, the peer's
//	                     end is awaited, input is thrown away
type connState uint8

const (
	sFree connState = iota
	sProxy
	sHead
	sBody
	sWait
	sHeld
	sAsked
	sWS
	sClosing
)

// Flags of a conn.
const (
	fServed    uint16 = 1 << iota // counted by the gate
	fGated                        // ws: inbound waits for `attached`
	fStalled                      // ws: over the outbound limit, home knows
	fPinged                       // ws: :chsk/ws-ping is out, activity is awaited
	fEcho                         // ws: the debug echo, not a channel socket
	fCloseSent                    // ws: our close frame is out: nothing may follow it
	fHeadArmed                    // http: timers.heads has an entry of this conn
	fBegun                        // http: a request has begun and is not whole
	fAsked                        // ws: a position ping is out (RedeliveryPong)
	fAskAgain                     // ws: more was sent since
	fIdleArmed                    // http: timers.idle has an entry of this conn
	fBuffered                     // gnet may hold bytes that the kernel did not take
	fFin                          // our FIN is out
	fAckSoon                      // ws: timers.acksSoon has an entry of this conn
)

// conn is the state of one connection that every connection has: 64 bytes, which is one
// line of the cache, without pointers: a million of them cost the garbage collector
// nothing. What only busy conns need is in extra. docs/budget.md counts the bytes.
//
// Owner: loop.
type conn struct {
	slot   uint32
	gen    uint32 // of the conn, all its life; timers name it. Its requests have their own
	flags  uint16
	state  connState
	loop   uint8
	packer uint8 // packer.Packer; http: of the request in flight
	home   uint8 // loop of the user's shard; valid when who != 0

	nCallbacks uint16
	callbacks  uint32 // list of callbacks that wait for a reply (callbacks.go)
	lastAck    uint32 // ring of unacknowledged deliveries (acks.go), 0 = empty

	who     arena.Ref // ws: identity (identity.go)
	lastIn  uint32    // last activity as Sente counts it: inbound message or push
	since   uint32    // when the present state began; dates of deadlines are checked against it
	written uint32    // bytes given to the kernel or to gnet's buffer since accept, modulo 2^32
	extra   uint32    // in connTable.extras, or parked (parked.go), 0 = none
	fd      int32

	session uint64 // ws: shard.SessionID at home, 0 until attached; http: of the poll answered last
	sent    uint64 // ws: seq of the last delivery written; http: connRef of the poll answered last
}

// extra is what a conn has only while it is busy: a request that is being read or found
// out about, a message in fragments. One that waits for its answer has parked instead.
//
// Owner: loop.
type extra struct {
	gen  uint32       // sAsked: of the ticket, see connRef
	head []byte       // copy of a request head whose body is still coming; sAsked: of a whole request
	asm  []byte       // body or message being assembled; sAsked: its body
	body httpmin.Body // framing of that body
	got  int          // bytes of it since its deadline was put off
	hold hold         // sHeld: what the request waits for

	reader wsframe.Reader // ws: in the middle of a message

	grant *auth.Grant // what was found out about the request that is handled now
	came  uint32      // sAsked: when that request was read
}

// slabLen is the number of conns in a slab: as many as fill whole pages also where their
// socks lie, which have pointers. Such a slab of 16 KiB would get a header and take 18.
const slabLen = 2048

// connTable holds the conns of a loop by slot.
//
// Owner: loop.
type connTable struct {
	slabs []*[slabLen]conn
	socks []*[slabLen]sock // parallel to slabs
	free  []uint32
	n     uint32
	gens  uint32
	loop  uint8
	live  int

	ids        *arena.Arena // of the loop
	parks      parks
	extras     []*extra // by conn.extra; 0 is not used
	freeExtras []uint32
	spare      []*extra
}

// take finds a free slot and begins a new generation of it. ok is false when all
// 2^24 slots are taken.
func (t *connTable) take(s sock) (slot uint32, c *conn, ok bool) {
	if n := len(t.free); n > 0 {
		slot = t.free[n-1]
		t.free = t.free[:n-1]
	} else {
		if t.n == 1<<24 {
			return 0, nil, false
		}
		slot = t.n
		t.n++
		if int(slot/slabLen) == len(t.slabs) {
			t.slabs = append(t.slabs, new([slabLen]conn))
			t.socks = append(t.socks, new([slabLen]sock))
		}
	}
	c = t.at(slot)
	*c = conn{slot: slot, gen: t.newGen(), loop: t.loop, state: sHead}
	t.socks[slot/slabLen][slot%slabLen] = s
	t.live++
	return slot, c, true
}

// newGen is the generation of a new conn or request. It is never 0, so that no ref is.
// They come again after 2^32, which is days later, when nothing names the first.
func (t *connTable) newGen() uint32 {
	if t.gens++; t.gens == 0 {
		t.gens = 1
	}
	return t.gens
}

func (t *connTable) at(slot uint32) *conn { return &t.slabs[slot/slabLen][slot%slabLen] }

func (t *connTable) sock(slot uint32) sock { return t.socks[slot/slabLen][slot%slabLen] }

// timer is the name of a slot's conn in a deadline queue; it outlives requests.
func (t *connTable) timer(slot uint32) uint64 {
	return uint64(slot)<<32 | uint64(t.at(slot).gen)
}

// timed returns the conn that a timer names, or nil when it is gone.
func (t *connTable) timed(id uint64) (slot uint32, c *conn) {
	slot = uint32(id >> 32)
	c = t.at(slot)
	if c.gen != uint32(id) || c.state == sFree {
		return slot, nil
	}
	return slot, c
}

// get returns the conn that ref names, or whose request in flight it names; nil when
// that is gone.
func (t *connTable) get(ref connRef) *conn {
	slot := ref.slot()
	if slot >= t.n {
		return nil
	}
	c := t.at(slot)
	if c.state == sFree {
		return nil
	}
	if c.gen == ref.gen() || t.requestGen(c) == ref.gen() {
		return c
	}
	return nil
}

// requestGen is the generation of the request of c that waits, 0 if none does.
func (t *connTable) requestGen(c *conn) uint32 {
	switch {
	case c.extra == 0:
		return 0
	case c.extra&isParked != 0:
		return t.parks.at(c.extra).gen
	}
	return t.extras[c.extra].gen
}

// extra returns the busy state of a slot, making it when there is none.
func (t *connTable) extra(slot uint32) *extra {
	c := t.at(slot)
	if c.extra&isParked != 0 {
		panic("engine: a request is read while another waits")
	}
	if c.extra != 0 {
		return t.extras[c.extra]
	}
	x := (*extra)(nil)
	if n := len(t.spare); n > 0 {
		x = t.spare[n-1]
		t.spare = t.spare[:n-1]
	} else {
		x = new(extra)
	}
	if n := len(t.freeExtras); n > 0 {
		c.extra = t.freeExtras[n-1]
		t.freeExtras = t.freeExtras[:n-1]
	} else {
		if len(t.extras) == 0 {
			t.extras = append(t.extras, nil)
		}
		c.extra = uint32(len(t.extras))
		t.extras = append(t.extras, nil)
	}
	t.extras[c.extra] = x
	return x
}

// peekExtra returns the busy state of a slot or nil.
func (t *connTable) peekExtra(slot uint32) *extra {
	if n := t.at(slot).extra; n != 0 && n&isParked == 0 {
		return t.extras[n]
	}
	return nil
}

// dropExtra takes the busy state away, or the request that waited: an idle conn keeps no
// buffer.
func (t *connTable) dropExtra(slot uint32) {
	c := t.at(slot)
	if c.extra == 0 {
		return
	}
	if c.extra&isParked != 0 {
		t.unpark(c)
		return
	}
	x := t.extras[c.extra]
	t.extras[c.extra] = nil
	t.freeExtras = append(t.freeExtras, c.extra)
	c.extra = 0
	const keepCap, keepSpare = 16 << 10, 256
	if cap(x.asm) > keepCap || len(t.spare) >= keepSpare {
		return
	}
	*x = extra{head: x.head[:0], asm: x.asm[:0]}
	t.spare = append(t.spare, x)
}

// put gives a slot back; its generation is over.
func (t *connTable) put(slot uint32) {
	t.dropExtra(slot)
	*t.at(slot) = conn{}
	t.socks[slot/slabLen][slot%slabLen] = nil
	t.free = append(t.free, slot)
	t.live--
}
