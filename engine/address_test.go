package engine

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/httpmin"
)

func TestRequestAddr(t *testing.T) {
	r := newLimitRig(t, func(o *Options) { o.Trusted = set("10.0.0.0/8", "2001:db8:10::/48") })
	for _, c := range []struct {
		name, peer, lines string // lines separated by |
		want              string
		trusted           bool
		garbage           bool // of which the standard library makes an error
	}{
		{"no proxy", "192.0.2.1", "-", "192.0.2.1", false, false},
		{"the field of who is no proxy", "192.0.2.1", "1.2.3.4", "192.0.2.1", false, false},
		{"a proxy that says nothing", "10.0.0.1", "-", "10.0.0.1", true, false},
		{"a proxy", "10.0.0.1", "1.2.3.4", "1.2.3.4", true, false},
		{"what the client wrote does not count", "10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4", true, false},
		{"also if it writes a proxy's", "10.0.0.1", "10.9.9.9, 1.2.3.4", "1.2.3.4", true, false},
		{"two proxies", "10.0.0.1", "6.6.6.6,1.2.3.4,10.0.0.2", "1.2.3.4", true, false},
		{"RFC 9110 5.3: lines are one list", "10.0.0.1", "6.6.6.6|1.2.3.4|10.0.0.2", "1.2.3.4", true, false},
		{"the last line is the nearest", "10.0.0.1", "6.6.6.6, 7.7.7.7|1.2.3.4", "1.2.3.4", true, false},
		{"nothing but proxies", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3", true, false},
		{"IPv6", "2001:db8:10::1", "2001:db8::7", "2001:db8::7", true, false},
		{"IPv4 in IPv6", "10.0.0.1", "::ffff:1.2.3.4", "1.2.3.4", true, false},
		{"a proxy as IPv4 in IPv6", "10.0.0.1", "1.2.3.4, ::ffff:10.0.0.2", "1.2.3.4", true, false},
		{"with a port", "10.0.0.1", "1.2.3.4:5678", "1.2.3.4", true, false},
		{"IPv6 with a port", "10.0.0.1", "[2001:db8::7]:443", "2001:db8::7", true, false},
		{"IPv6 in brackets", "10.0.0.1", "[2001:db8::7]", "2001:db8::7", true, false},
		{"RFC 9110 5.6.1.2: empty elements are none", "10.0.0.1", " , 1.2.3.4 ,\t, ", "1.2.3.4", true, false},
		{"an empty field", "10.0.0.1", "", "10.0.0.1", true, false},
		{"garbage stops at the last good one", "10.0.0.1", "1.2.3.4, unknown", "10.0.0.1", true, true},
		{"behind a proxy's", "10.0.0.1", "1.2.3.4, unknown, 10.0.0.2", "10.0.0.2", true, true},
		{"garbage that nobody comes to", "10.0.0.1", "unknown, 1.2.3.4", "1.2.3.4", true, false},
		{"a name", "10.0.0.1", "example.com", "10.0.0.1", true, true},
		{"a zone", "10.0.0.1", "fe80::1%eth0", "10.0.0.1", true, true},
		{"a port that is none", "10.0.0.1", "1.2.3.4:x", "10.0.0.1", true, true},
		{"an open bracket", "10.0.0.1", "[2001:db8::7", "10.0.0.1", true, true},
		{"nothing in brackets", "10.0.0.1", "[]", "10.0.0.1", true, true},
		{"a space within", "10.0.0.1", "1.2.3.4 5.6.7.8", "10.0.0.1", true, true},
		{"quoted", "10.0.0.1", `"1.2.3.4"`, "10.0.0.1", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			head := "GET / HTTP/1.1\r\nHost: x\r\n"
			if c.lines != "-" {
				for _, line := range strings.Split(c.lines, "|") {
					head += "x-Forwarded-FOR: " + line + "\r\nX-Other: 9.9.9.9\r\n"
				}
			}
			var h httpmin.Head
			if _, err := httpmin.ParseHead([]byte(head+"\r\n"), 1<<14, &h); err != nil {
				t.Fatal(err)
			}
			peer := netip.MustParseAddr(c.peer)
			got, trusted := r.requestAddr(peer, &h)
			if got != netip.MustParseAddr(c.want) || trusted != c.trusted {
				t.Errorf("%v %v, want %s %v", got, trusted, c.want, c.trusted)
			}
			if n := testing.AllocsPerRun(20, func() { r.requestAddr(peer, &h) }); n > 1 || n > 0 && !c.garbage {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// TestAddressed: who checks a request is told who is connected and for whom.
func TestAddressed(t *testing.T) {
	r := newLimitRig(t, func(o *Options) {
		o.Trusted, o.ProxyProtocol = set("10.0.0.0/8"), true
	})
	s := r.dial("10.0.0.1")
	r.give(s, "PROXY TCP4 10.0.0.2 10.0.0.1 1 2\r\n")
	h := httpmin.Head{}
	head := "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"
	if _, err := httpmin.ParseHead([]byte(head), 999, &h); err != nil {
		t.Fatal(err)
	}
	var q auth.Request
	r.addressed(s.c.slot, &h, &q)
	if q.Peer.String() != "10.0.0.2" || q.Addr.String() != "1.2.3.4" || !q.Trusted {
		t.Errorf("%v %v %v", q.Peer, q.Addr, q.Trusted)
	}
	// A client that a proxy forwards byte by byte is not believed, though the proxy is.
	s = r.dial("10.0.0.1")
	r.give(s, "PROXY TCP4 6.6.6.6 10.0.0.1 1 2\r\n")
	r.addressed(s.c.slot, &h, &q)
	if q.Peer.String() != "6.6.6.6" || q.Addr != q.Peer || q.Trusted {
		t.Errorf("%v %v %v", q.Peer, q.Addr, q.Trusted)
	}
}

func TestAddressLists(t *testing.T) {
	for _, c := range []struct {
		name        string
		allow, deny []string
		peer, xff   string
		status      int // -1: closed at once
	}{
		{"no list", nil, nil, "192.0.2.1", "", 101},
		{"denied", nil, []string{"192.0.2.0/24"}, "192.0.2.1", "", -1},
		{"not denied", nil, []string{"192.0.2.0/24"}, "192.0.3.1", "", 101},
		{"denied behind a proxy", nil, []string{"192.0.2.0/24"}, "10.0.0.1", "192.0.2.1", 403},
		{"says that it is behind one", nil, []string{"192.0.2.0/24"}, "192.0.3.1", "192.0.2.1", 101},
		{"allowed", []string{"192.0.2.0/24"}, nil, "192.0.2.1", "", 101},
		{"not allowed", []string{"192.0.2.0/24"}, nil, "192.0.3.1", "", 403},
		{"a proxy for itself", []string{"192.0.2.0/24"}, nil, "10.0.0.1", "", 403},
		{"allowed behind a proxy", []string{"192.0.2.0/24"}, nil, "10.0.0.1", "192.0.2.1", 101},
		{"deny wins", []string{"192.0.2.0/24"}, []string{"192.0.2.1/32"}, "10.0.0.1", "192.0.2.1", 403},
		{"IPv6", nil, []string{"2001:db8::/32"}, "2001:db8::1", "", -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newLimitRig(t, func(o *Options) {
				o.Trusted, o.Allow, o.Deny = set("10.0.0.0/8"), set(c.allow...), set(c.deny...)
			})
			s := r.dial(c.peer)
			if (s == nil) != (c.status == -1) {
				t.Fatalf("taken in: %v", s != nil)
			}
			if s == nil {
				if r.m.ConnsDenied.Load() != 1 || r.m.ConnsNow.Load() != 0 {
					t.Error("it is not counted")
				}
				return
			}
			fields := []string{}
			if c.xff != "" {
				fields = append(fields, "X-Forwarded-For: "+c.xff)
			}
			r.give(s, r.wsRequest(fields...))
			r.is(s, c.status)
			if denied := r.m.RequestsDenied.Load() == 1; denied != (c.status == 403) {
				t.Errorf("counted %v", denied)
			}
			if c.status == 403 && s.fin == (c.peer == "10.0.0.1") {
				t.Errorf("the conn ended: %v", s.fin)
			}
		})
	}
}

func TestProxyProtocol(t *testing.T) {
	proxied := func(o *Options) {
		o.Trusted, o.ProxyProtocol = set("10.0.0.0/8"), true
		o.Deny = set("6.6.6.0/24")
	}
	t.Run("not a proxy", func(t *testing.T) {
		if newLimitRig(t, proxied).dial("192.0.2.1") != nil {
			t.Error("it is taken in")
		}
	})
	for _, c := range []struct {
		name, head string
		status     int
		addr       string
	}{
		{"version 1", "PROXY TCP4 1.2.3.4 10.0.0.1 5 6\r\n", 101, "1.2.3.4"},
		{"version 2", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x01\x02\x03\x04\x0a\x00\x00\x01" +
			"\x00\x05\x00\x06", 101, "1.2.3.4"},
		{"for nobody", "PROXY UNKNOWN\r\n", 101, "10.0.0.1"},
		{"a health check", "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00", 101, "10.0.0.1"},
		{"of one that is denied", "PROXY TCP4 6.6.6.6 10.0.0.1 5 6\r\n", 403, "6.6.6.6"},
		{"none", "", -1, ""},
		{"a wrong one", "PROXY TCP4 1.2.3.4 10.0.0.1 5 x\r\n", -1, ""},
	} {
		for _, step := range []int{1000, 1} {
			t.Run(c.name, func(t *testing.T) {
				r := newLimitRig(t, proxied)
				s := r.dial("10.0.0.1")
				in := c.head + r.wsRequest()
				for at := 0; at < len(in); at += step {
					r.give(s, in[at:min(at+step, len(in))])
				}
				r.is(s, c.status)
				if (r.m.ProxyHeadersBad.Load() == 1) != (c.status == -1) {
					t.Error("not counted as it is")
				}
				if c.addr != "" && r.connAddr(s.c.slot).String() != c.addr {
					t.Errorf("from %v, want %s", r.connAddr(s.c.slot), c.addr)
				}
			})
		}
	}
	t.Run("it has the time of a head, and the head its own", func(t *testing.T) {
		r := newLimitRig(t, proxied)
		late, slow := r.dial("10.0.0.1"), r.dial("10.0.0.1")
		r.give(late, "PROXY TCP4 1.2.3.4 ")
		r.advance(9000)
		r.give(slow, "PROXY TCP4 1.2.3.4 10.0.0.1 5 6\r\n")
		r.advance(2000)
		r.is(late, -1)
		r.give(slow, "GET ")
		r.advance(5000)
		r.is(slow, 0)
		r.advance(15000)
		r.is(slow, 408)
	})
	t.Run("a slot used again has not the address of another", func(t *testing.T) {
		r := newLimitRig(t, proxied)
		s := r.dial("10.0.0.1")
		r.give(s, "PROXY TCP4 1.2.3.4 10.0.0.1 5 6\r\n")
		r.closeConn(s.c.slot)
		r.turns()
		again := r.dial("10.0.0.7")
		if again.c.slot != s.c.slot {
			t.Skip("another slot")
		}
		r.give(again, "PROXY UNKNOWN\r\n")
		if got := r.connAddr(again.c.slot).String(); got != "10.0.0.7" {
			t.Error(got)
		}
	})
}
