package engine

import (
	"encoding/binary"

	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/shard"
	"github.com/chskd/chskd/wsframe"
)

// Journey iii, second half: what the shard says is to be delivered is encoded once
// per run and packer, and handed to the owners of the conns.
//
// A sealed batch has room for a frame header in front, so that the same buffer serves
// WebSocket conns (header and payload in one write) and polls (payload only):
//
//	[unused][frame header][payload]
//	0       start(b)      frameRoom

// frameRoom is the length of the longest header of a server's frame.
const frameRoom = 10

// fanBytes is the length of a full fan: 512 targets.
const fanBytes = 8192

// targetLen is the length of one target in a fan: ref(8) from(8), little endian.
const targetLen = 16

// fanRef remembers the last mDeliver posted to a loop in this turn, so that the
// next delivery of the same batch joins it.
type fanRef struct {
	buf *bufpool.Buf
	at  int
	to  uint64
}

// deliver takes up to deliveriesPerTurn deliveries from the shard.
func (l *loop) deliver() {
	var d shard.Delivery
	for range deliveriesPerTurn {
		if !l.sh.NextDelivery(l.now, &d) {
			l.walking = false
			return
		}
		l.handOver(&d)
	}
	l.walking = true
}

// handOver posts one delivery to the owner of its conn.
func (l *loop) handOver(d *shard.Delivery) {
	l.m.Deliveries.Add(1)
	b := l.sealed(d)
	if b == nil {
		return
	}
	ref := connRef(d.Ref)
	if d.Ajax {
		if l.polls.Take(d.Ref) {
			l.m.PollsNow.Sub(1)
		}
		l.post(ref.loop(), msg{kind: mAnswer, ref: ref, id: uint64(d.ID), buf: b.Retain(),
			a: d.To, b: uint64(l.id)})
	} else {
		l.fanOut(ref, d, b)
	}
	if d.Run == nil {
		b.Release() // a gap's notice belongs to this delivery alone
	}
}

// fanOut adds a WebSocket to the mDeliver of this batch to its loop. Most have one
// target, those of a broadcast thousands: a fan starts small, grows once, and when it
// is full the next one begins.
func (l *loop) fanOut(ref connRef, d *shard.Delivery, b *bufpool.Buf) {
	to := ref.loop()
	last := &l.lastFan[to]
	if last.buf != b || last.to != d.To || len(l.out[to][last.at].fan.B) == fanBytes {
		*last = fanRef{buf: b, at: len(l.out[to]), to: d.To}
		l.post(to, msg{kind: mDeliver, buf: b.Retain(), fan: bufpool.Get(4 * targetLen), a: d.To})
	}
	m := &l.out[to][last.at]
	if len(m.fan.B) == cap(m.fan.B) {
		large := bufpool.Get(fanBytes)
		large.B = append(large.B, m.fan.B...)
		m.fan.Release()
		m.fan = large
	}
	m.fan.B = binary.LittleEndian.AppendUint64(m.fan.B, d.Ref)
	m.fan.B = binary.LittleEndian.AppendUint64(m.fan.B, d.From)
}

// sealed is the encoding of a delivery in its packer, made when it is needed first.
// The run keeps it for the sessions that follow.
func (l *loop) sealed(d *shard.Delivery) *bufpool.Buf {
	f := packer.Format(d.Packer)
	if d.Run == nil {
		l.m.Gaps.Add(1)
		b := beginBatch(f, 1, 64)
		b.B = f.AppendGap(b.B, d.Missed)
		return endBatch(f, b)
	}
	if b, ok := d.Run.Sealed[f].(*bufpool.Buf); ok {
		return b
	}
	size := 0
	for _, e := range d.Run.Entries {
		size += e.Payload.Len() + 2
	}
	b := beginBatch(f, len(d.Run.Entries), size)
	first := true
	for _, e := range d.Run.Entries {
		frag, ok := e.Payload.(*payload).fragment(f)
		if !ok {
			continue // it was checked when it was pushed; counted there
		}
		if !first {
			b.B = f.AppendBatchNext(b.B)
		}
		first = false
		b.B = append(b.B, frag...)
	}
	b = endBatch(f, b)
	d.Run.Sealed[f] = b
	return b
}

func beginBatch(f packer.Format, n, size int) *bufpool.Buf {
	b := bufpool.Get(frameRoom + size + 16)
	b.B = append(b.B, make([]byte, frameRoom)...)
	b.B = f.AppendBatchStart(b.B, n)
	return b
}

// endBatch closes a batch and puts the frame header in front of it.
func endBatch(f packer.Format, b *bufpool.Buf) *bufpool.Buf {
	b.B = f.AppendBatchEnd(b.B)
	n := len(b.B) - frameRoom
	var head [frameRoom]byte
	h := wsframe.AppendHeader(head[:0], opcode(f), n)
	copy(b.B[frameRoom-len(h):], h)
	return b.Seal()
}

// frameOf is the part of a sealed batch that goes over a WebSocket.
func frameOf(b *bufpool.Buf) []byte {
	n := len(b.B) - frameRoom
	switch {
	case n <= 125:
		return b.B[frameRoom-2:]
	case n <= 0xffff:
		return b.B[frameRoom-4:]
	}
	return b.B
}

// onDeliver writes a batch to each target that stands where home thinks. What is
// late or doubled falls away: home has been told already why (stalled, detached).
func (l *loop) onDeliver(m *msg) {
	frame := frameOf(m.buf)
	for t := m.fan.B; len(t) >= targetLen; t = t[targetLen:] {
		ref := connRef(binary.LittleEndian.Uint64(t))
		from := binary.LittleEndian.Uint64(t[8:])
		c := l.conns.get(ref)
		if c != nil && c.sent == 0 {
			// The first delivery after the attach says where the conn stands, also when
			// it cannot be taken: the next one must not pass for the first.
			c.sent = from
		}
		if c == nil || c.state != sWS || c.flags&(fStalled|fCloseSent) != 0 || c.sent != from {
			l.m.DeliveriesLate.Add(1)
			continue
		}
		l.busyRef = ref
		l.writeBatch(ref.slot(), c, frame, m.a)
	}
	m.fan.Release()
	m.buf.Release()
}

// writeBatch writes one batch to one conn and minds its limit.
func (l *loop) writeBatch(slot uint32, c *conn, frame []byte, to uint64) {
	c.lastIn = l.now // a push is activity, as Sente counts it
	if !l.write(slot, c, frame) {
		return
	}
	l.sentUp(slot, c, to)
	if c.state != sWS || c.flags&fBuffered == 0 ||
		l.conns.sock(slot).OutboundBuffered() <= l.opts.Limits.OutBytes {
		return
	}
	l.m.Stalls.Add(1)
	c.flags |= fStalled
	c.since = l.now
	l.post(int(c.home), msg{kind: mStalled, ref: makeRef(l.id, slot, c.gen), id: c.session, a: c.sent})
	l.timers.stalls.Push(l.conns.timer(slot), l.now+stallCheckMs)
}
