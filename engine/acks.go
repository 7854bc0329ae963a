package engine

// What the peer's kernel has acknowledged decides what is sent again when a conn
// breaks (RedeliveryTCP). While anything that a conn sent is unacknowledged, it has a
// list of (offset of the last byte, seq); an idle conn has none. Once a second the
// conn is looked at: one ioctl tells how many bytes are outstanding, and what lies
// below is confirmed to home. When the conn ends, TCP_INFO gives the last word.

// ackNode says that the delivery up to seq ends at byte offset end of the conn.
type ackNode struct {
	seq   uint64
	end   uint32 // modulo 2^32: a peer that leaves 2 GiB unacknowledged is cut long before
	next  uint32 // the next newer one; of the newest the oldest, so that one link finds both ends
	count uint32 // of the newest: how many there are
}

// ackList is the nodes of all conns of a loop. Node 0 is not used.
//
// Owner: loop.
type ackList struct {
	nodes []ackNode
	free  uint32
}

// add appends (end, seq) to c's list and reports whether the list was empty before.
func (a *ackList) add(c *conn, end uint32, seq uint64) (first bool) {
	n := a.free
	if n != 0 {
		a.free = a.nodes[n].next
	} else {
		if len(a.nodes) == 0 {
			a.nodes = append(a.nodes, ackNode{})
		}
		n = uint32(len(a.nodes))
		a.nodes = append(a.nodes, ackNode{})
	}
	last := c.lastAck
	c.lastAck = n
	if last == 0 {
		a.nodes[n] = ackNode{end: end, seq: seq, next: n, count: 1}
		return true
	}
	newest := &a.nodes[last]
	a.nodes[n] = ackNode{end: end, seq: seq, next: newest.next, count: newest.count + 1}
	newest.next = n
	return false
}

// merge makes the newest node of c stand for (end, seq) too, so that a list stays
// short: what it stands for counts as confirmed only when all of it is.
func (a *ackList) merge(c *conn, end uint32, seq uint64) {
	a.nodes[c.lastAck].end, a.nodes[c.lastAck].seq = end, seq
}

// oldest is the node of c that is acknowledged next; there must be one.
func (a *ackList) oldest(c *conn) *ackNode { return &a.nodes[a.nodes[c.lastAck].next] }

// newest is the node of c that was added last; there must be one.
func (a *ackList) newest(c *conn) *ackNode { return &a.nodes[c.lastAck] }

// over says whether n is acknowledged when acked bytes are.
func (n *ackNode) over(acked uint32) bool { return int32(acked-n.end) >= 0 }

// advance takes off all nodes that end at or below acked and returns the seq of the
// last one, 0 if there is none.
func (a *ackList) advance(c *conn, acked uint32) (seq uint64) {
	for c.lastAck != 0 && a.oldest(c).over(acked) {
		seq = a.oldest(c).seq
		a.pop(c)
	}
	return seq
}

// pop frees the oldest node of c.
func (a *ackList) pop(c *conn) {
	newest := a.newest(c)
	n := newest.next
	newest.next = a.nodes[n].next
	newest.count--
	if n == c.lastAck {
		c.lastAck = 0
	}
	a.nodes[n].next = a.free
	a.free = n
}

// drop frees c's whole list.
func (a *ackList) drop(c *conn) {
	for c.lastAck != 0 {
		a.pop(c)
	}
}

// sentUp notes that the delivery up to seq was written to c, n bytes.
func (l *loop) sentUp(slot uint32, c *conn, seq uint64, n int) {
	c.sent = seq
	switch l.opts.Redelivery {
	case RedeliveryTCP:
		l.awaitAck(slot, c, seq, n)
	case RedeliveryPong:
		l.askPosition(slot, c)
	}
}

// awaitAck adds a delivery of n bytes to what c's peer is to acknowledge. Of conns that get much,
// what home keeps until then would be the most of its memory, and cold when it is given up at
// last, so they are looked at sooner, too.
func (l *loop) awaitAck(slot uint32, c *conn, seq uint64, n int) {
	many := n >= ackSoonBytes
	if c.lastAck != 0 {
		newest := l.acks.newest(c)
		if newest.seq >= seq {
			return
		}
		if newest.count >= maxAckNodes {
			l.acks.merge(c, c.written, seq)
			return
		}
		many = many || newest.count >= ackSoonNodes
	}
	if l.acks.add(c, c.written, seq) {
		l.timers.acks.Push(l.conns.timer(slot), l.now+ackCheckMs)
	}
	if many && c.flags&fAckSoon == 0 {
		c.flags |= fAckSoon
		l.timers.acksSoon.Push(l.conns.timer(slot), l.now+ackSoonMs)
	}
}

// checkAcksSoon is a look at a busy conn between those that every conn has.
func (l *loop) checkAcksSoon(slot uint32, c *conn) {
	c.flags &^= fAckSoon
	if c.lastAck != 0 && c.state == sWS {
		l.confirm(slot, c)
	}
}

// confirm tells home what c's peer has acknowledged.
func (l *loop) confirm(slot uint32, c *conn) {
	if seq := l.acks.advance(c, l.ackedNow(slot, c)); seq != 0 {
		l.post(int(c.home), msg{kind: mConfirm, ref: makeRef(l.id, slot, c.gen), id: c.session, a: seq})
	}
}

// checkAcks is the look at a conn with unacknowledged deliveries.
func (l *loop) checkAcks(slot uint32, c *conn) {
	if l.opts.Redelivery == RedeliveryPong {
		l.positionDue(slot, c)
		return
	}
	if c.lastAck == 0 || c.state != sWS {
		return
	}
	if l.confirm(slot, c); c.lastAck != 0 {
		l.timers.acks.Push(l.conns.timer(slot), l.now+ackCheckMs)
	}
}

// ackedNow is how many of c's bytes the peer has acknowledged, modulo 2^32, for an open
// conn. If the kernel does not tell, it is what was known before: nothing more.
func (l *loop) ackedNow(slot uint32, c *conn) uint32 {
	s := l.conns.sock(slot)
	n, ok := l.net.unacked(s)
	if !ok {
		return l.acks.oldest(c).end - 1
	}
	return c.written - uint32(n) - uint32(s.OutboundBuffered())
}

// confirmedAtClose is the last seq that c's peer has surely got, 0 for none beyond
// what was confirmed to home before, and whether the peer ever acknowledged
// anything at all.
func (l *loop) confirmedAtClose(slot uint32, c *conn) (seq uint64, alive bool) {
	acked, ok := l.net.acked(l.conns.sock(slot))
	alive = !ok || acked > 0
	switch l.opts.Redelivery {
	case RedeliveryOff:
		return c.sent, alive
	case RedeliveryPong:
		return 0, alive
	}
	if c.lastAck == 0 {
		return c.sent, alive
	}
	if !ok {
		return 0, alive
	}
	return l.acks.advance(c, uint32(acked)), alive
}
