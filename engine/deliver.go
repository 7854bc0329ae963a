package engine

import (
	"encoding/binary"

	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/shard"
)

// Journey iii, second half: what the shard says is to be delivered is sealed once
// per run and packer (seal.go), and handed to the owners of the conns.

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
	if d.Run == nil && l.opts.OnGap == GapClose {
		l.endForGap(d)
		return
	}
	l.tally(d)
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
	l.sentUp(slot, c, to, len(frame))
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
