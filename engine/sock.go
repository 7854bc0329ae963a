package engine

import "net/netip"

// sock is what a loop needs of a connection: the part of gnet.Conn that it uses.
// Production passes the gnet.Conn itself, the simulation a fake.
//
// Owner: loop.
type sock interface {
	// Peek returns the next n bytes of what was read, all of it for n <= 0. They
	// are valid until Discard, and may be written to if they are discarded before
	// anybody looks at them again.
	Peek(n int) ([]byte, error)
	Discard(n int) (int, error)
	InboundBuffered() int
	// Write sends b or buffers what the kernel does not take. It may call onClose
	// of the same conn before it returns.
	Write(b []byte) (int, error)
	OutboundBuffered() int
}

// network is what the loop asks of the kernel about a sock.
//
// Owner: loop.
type network interface {
	// fd is the descriptor of a sock, for send.
	fd(s sock) int32
	// peer is the address that a sock is connected to, in the form of admit.Clean. It
	// answers also in onClose.
	peer(s sock) netip.Addr
	// send gives b to the kernel without blocking; n < len(b) when it is full. It has
	// the descriptor so that a broadcast need not touch gnet's part of every conn.
	send(s sock, fd int32, b []byte) (n int, err error)
	// unacked is the number of bytes that the kernel took and the peer has not
	// acknowledged. Only for an open conn.
	unacked(s sock) (n int, ok bool)
	// acked is the number of bytes that the peer has acknowledged since accept. It
	// answers also in onClose, after a reset.
	acked(s sock) (n uint64, ok bool)
	// finish ends our side of the conn (FIN); reading goes on.
	finish(s sock)
	// close ends the conn at once, and calls onClose before it returns.
	close(s sock)
}
