package engine

// What the peer's kernel has acknowledged decides what is sent again when a conn
// breaks (RedeliveryTCP). While anything that a conn sent is unacknowledged, it has a
// list of (offset of the last byte, seq); an idle conn has none. Once a second the
// conn is looked at: one ioctl tells how many bytes are outstanding, and what lies
// below is confirmed to home. When the conn ends, TCP_INFO gives the last word.

// ackNode says that the delivery up to seq ends at byte offset end of the conn.
type ackNode struct {
	end  uint64
	seq  uint64
	next uint32
}

// ackList is the nodes of all conns of a loop. Node 0 is not used.
//
// Owner: loop.
type ackList struct {
	nodes []ackNode
	free  uint32
}

// add appends (end, seq) to c's list and reports whether the list was empty before.
func (a *ackList) add(c *conn, end, seq uint64) (first bool) {
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
	a.nodes[n] = ackNode{end: end, seq: seq}
	if c.acks == 0 {
		c.acks, c.lastAck = n, n
		return true
	}
	a.nodes[c.lastAck].next = n
	c.lastAck = n
	return false
}

// merge makes the newest node of c stand for (end, seq) too, so that a list stays
// short: what it stands for counts as confirmed only when all of it is.
func (a *ackList) merge(c *conn, end, seq uint64) {
	a.nodes[c.lastAck].end, a.nodes[c.lastAck].seq = end, seq
}

// end is the offset of a node.
func (a *ackList) end(n uint32) uint64 { return a.nodes[n].end }

// advance takes off all nodes that end at or below acked and returns the seq of the
// last one, 0 if there is none.
func (a *ackList) advance(c *conn, acked uint64) (seq uint64) {
	for c.acks != 0 && a.nodes[c.acks].end <= acked {
		n := c.acks
		seq = a.nodes[n].seq
		c.acks = a.nodes[n].next
		a.nodes[n].next = a.free
		a.free = n
	}
	if c.acks == 0 {
		c.lastAck = 0
	}
	return seq
}

// drop frees c's whole list.
func (a *ackList) drop(c *conn) {
	a.advance(c, ^uint64(0))
	c.nAcks = 0
}

// sentUp notes that the delivery up to seq was written to c.
func (l *loop) sentUp(slot uint32, c *conn, seq uint64) {
	c.sent = seq
	switch l.opts.Redelivery {
	case RedeliveryTCP:
		if c.acks != 0 && l.acks.nodes[c.lastAck].seq >= seq {
			return
		}
		if c.nAcks >= maxAckNodes {
			l.acks.merge(c, c.written, seq)
			return
		}
		c.nAcks++
		if l.acks.add(c, c.written, seq) {
			c.nAcks = 1
			l.timers.acks.Push(l.conns.timer(slot), l.now+ackCheckMs)
		}
	case RedeliveryPong:
		l.askPosition(slot, c)
	}
}

// checkAcks is the look at a conn with unacknowledged deliveries.
func (l *loop) checkAcks(slot uint32, c *conn) {
	if l.opts.Redelivery == RedeliveryPong {
		l.positionDue(slot, c)
		return
	}
	if c.acks == 0 || c.state != sWS {
		return
	}
	if seq := l.acks.advance(c, l.ackedNow(slot, c)); seq != 0 {
		l.post(int(c.home), msg{kind: mConfirm, ref: makeRef(l.id, slot, c.gen), id: c.session, a: seq})
	}
	c.nAcks = 0
	for n := c.acks; n != 0; n = l.acks.nodes[n].next {
		c.nAcks++
	}
	if c.acks != 0 {
		l.timers.acks.Push(l.conns.timer(slot), l.now+ackCheckMs)
	}
}

// ackedNow is how many of c's bytes the peer has acknowledged, for an open conn.
func (l *loop) ackedNow(slot uint32, c *conn) uint64 {
	s := l.conns.sock(slot)
	n, ok := l.net.unacked(s)
	if !ok {
		return 0
	}
	return c.written - uint64(n) - uint64(s.OutboundBuffered())
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
	if c.acks == 0 {
		return c.sent, alive
	}
	if !ok {
		return 0, alive
	}
	return l.acks.advance(c, acked), alive
}
