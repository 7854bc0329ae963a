package engine

import (
	"bytes"
	"net/netip"
	"unsafe"

	"github.com/chskd/chskd/admit"
	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/httpmin"
	"github.com/chskd/chskd/metrics"
	"github.com/chskd/chskd/proxyproto"
)

// Who is at the other end. Three addresses, each believed only as far as the one before:
//
//	socket      who is connected to us; the kernel says so
//	conn        for whom, by the PROXY header of a trusted socket; else the socket's
//	request     for whom, by X-Forwarded-For, if the conn's is a trusted proxy; else the conn's
//
// X-Forwarded-For is walked from its end, over all its lines as if they were one (RFC 9110
// §5.3): each proxy adds at the end whom it heard, so that an entry is worth what the
// proxy is worth that added it. The walk goes on while the entry is itself a trusted proxy,
// and stops at the first that is not: that is the client. All to the left of it is what the
// client wrote. It also stops at an entry that is no address, as `unknown`: then the
// request's address is the last good one, that of the proxy which added it. To go on to the
// left of it would let clients choose; to have none would let them out of the limits.
//
// Nothing is kept of a conn but by PROXY header or a count by address: the rest is asked
// of the socket again when something needs it, which costs no allocation.

// place is what is kept of where a conn comes from. Without pointers.
type place struct {
	addr [16]byte   // by PROXY header; zero = the socket's own
	host admit.Host // that the conn is counted under; 0 = under none

	entered bool // among those of it that are served
}

// addressed fills in who sends a request.
func (l *loop) addressed(slot uint32, h *httpmin.Head, r *auth.Request) {
	if l.eng.located {
		r.Peer = l.connAddr(slot)
		r.Addr, r.Trusted = l.requestAddr(r.Peer, h)
	}
}

// welcome says whether a socket may be taken in at all.
func (l *loop) welcome(s sock) bool {
	if l.opts.Deny == nil && !l.opts.ProxyProtocol {
		return true
	}
	peer := l.net.peer(s)
	return !l.opts.Deny.Contains(peer) && (!l.opts.ProxyProtocol || l.opts.Trusted.Contains(peer))
}

// allowed says whether a request may be answered by the lists of addresses.
func (l *loop) allowed(slot uint32, h *httpmin.Head) bool {
	if l.opts.Deny == nil && l.opts.Allow == nil {
		return true
	}
	addr, _ := l.requestAddr(l.connAddr(slot), h)
	return !l.opts.Deny.Contains(addr) && (l.opts.Allow == nil || l.opts.Allow.Contains(addr))
}

// denied answers a request whose address may not have one. A proxy's conn is others', too.
func (l *loop) denied(slot uint32, c *conn, q *request) {
	l.m.RequestsDenied.Add(1)
	q.close = q.close || !l.opts.Trusted.Contains(l.connAddr(slot))
	l.respondText(slot, c, q, 403, "Your address may not use this server")
}

// readProxy reads the PROXY header, with which every conn begins if it must. One that is
// wrong has no answer: who sent it does not speak HTTP yet.
func (l *loop) readProxy(slot uint32, c *conn) bool {
	s := l.conns.sock(slot)
	b, _ := s.Peek(-1) // of all that is there: cannot be short
	h, n, err := proxyproto.Parse(b)
	if err == proxyproto.ErrShort {
		return false
	}
	if err != nil {
		l.m.ProxyHeadersBad.Add(1)
		l.closeConn(slot)
		return false
	}
	if !h.Local {
		l.places.at(slot).addr = h.Src.Addr().As16()
	}
	if !l.openFrom(slot, l.connAddr(slot)) {
		l.closeConn(slot)
		return false
	}
	_, _ = s.Discard(n) // they are there: Peek returned them
	c.state, c.since = sHead, l.now
	return true
}

// connAddr is the address for which a conn is.
func (l *loop) connAddr(slot uint32) netip.Addr {
	if l.opts.ProxyProtocol {
		if a := l.places.at(slot).addr; a != [16]byte{} {
			return netip.AddrFrom16(a).Unmap()
		}
	}
	return l.net.peer(l.conns.sock(slot))
}

// requestAddr is the address for which a request is, on a conn of addr. trusted says that
// addr is a proxy's whose fields count.
func (l *loop) requestAddr(addr netip.Addr, h *httpmin.Head) (client netip.Addr, trusted bool) {
	if !l.opts.Trusted.Contains(addr) {
		return addr, false
	}
	if h.ForwardedFor == nil {
		return addr, true
	}
	l.lines = h.AppendLines(l.lines[:0], "x-forwarded-for")
	for i := len(l.lines) - 1; i >= 0; i-- {
		rest := l.lines[i]
		for rest != nil {
			var entry []byte
			if at := bytes.LastIndexByte(rest, ','); at >= 0 {
				entry, rest = rest[at+1:], rest[:at]
			} else {
				entry, rest = rest, nil
			}
			entry = bytes.Trim(entry, " \t")
			if len(entry) == 0 {
				continue // an empty element is none (RFC 9110 §5.6.1.2)
			}
			next, ok := forwarded(entry)
			if !ok {
				return addr, true
			}
			if addr = next; !l.opts.Trusted.Contains(addr) {
				return addr, true
			}
		}
	}
	return addr, true
}

// forwarded reads an entry of X-Forwarded-For: an address, as some proxies write it with a
// port: 192.0.2.1, 192.0.2.1:4711, 2001:db8::1, [2001:db8::1], [2001:db8::1]:4711.
func forwarded(b []byte) (netip.Addr, bool) {
	port := []byte(nil)
	if b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 {
			return netip.Addr{}, false
		}
		b, port = b[1:end], b[end+1:]
	} else if at := bytes.IndexByte(b, ':'); at >= 0 && at == bytes.LastIndexByte(b, ':') {
		b, port = b[:at], b[at:]
	}
	if len(b) == 0 || !portOrNone(port) {
		return netip.Addr{}, false
	}
	// The string is read during the call only: an address without zone keeps none.
	a, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(b), len(b)))
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// portOrNone says whether b is empty or a colon and a number of up to five digits.
func portOrNone(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	if b[0] != ':' || len(b) == 1 || len(b) > 6 {
		return false
	}
	for _, d := range b[1:] {
		if d < '0' || d > '9' {
			return false
		}
	}
	return true
}

// openFrom counts a new conn under its address; false: that address has too many open
// already. A trusted proxy's conn is not counted: it is many clients', one request each
// (countShared).
func (l *loop) openFrom(slot uint32, addr netip.Addr) bool {
	if l.opts.Limits.ConnsPerAddress == 0 || !addr.IsValid() || l.opts.Trusted.Contains(addr) {
		return true
	}
	return l.openUnder(slot, admit.HostOf(addr))
}

func (l *loop) openUnder(slot uint32, host admit.Host) bool {
	if !l.eng.addresses.Open(host, l.now) {
		l.m.Shed[metrics.HoldAddress].Add(1)
		return false
	}
	l.places.at(slot).host = host
	return true
}

// serveFrom gives a conn a place among those of its address that are served. It is asked for
// the first request.
func (l *loop) serveFrom(slot uint32) bool {
	if l.opts.Limits.ConnsPerAddress == 0 {
		return true
	}
	p := l.places.at(slot)
	if p.host == 0 || p.entered {
		return true
	}
	p.entered = l.eng.addresses.Enter(p.host)
	return p.entered
}

// countShared counts an upgrade over a trusted proxy's conn, which is the client's own from
// here on, as openFrom does others. host is the request's also if nothing is counted.
func (l *loop) countShared(slot uint32, h *httpmin.Head) (host admit.Host, ok bool) {
	addr, trusted := l.requestAddr(l.connAddr(slot), h)
	host = admit.HostOf(addr)
	if l.opts.Limits.ConnsPerAddress == 0 || !trusted || !h.Upgrade || host == 0 {
		return host, true
	}
	if p := l.places.at(slot); p.host != host {
		l.uncount(slot) // an upgrade of another client, which came to nothing
		if ok = l.openUnder(slot, host); !ok {
			return host, false
		}
	}
	return host, true
}

// uncount gives back the place of a conn that closes.
func (l *loop) uncount(slot uint32) {
	if l.opts.Limits.ConnsPerAddress == 0 {
		return
	}
	if p := l.places.at(slot); p.host != 0 {
		l.eng.addresses.Leave(p.host, p.entered)
		p.host, p.entered = 0, false
	}
}
