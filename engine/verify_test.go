package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chskd/chskd/auth"
)

func wants(t *testing.T, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%q", got), fmt.Sprintf("%q", want); g != w {
		t.Errorf("\n got %s\nwant %s", g, w)
	}
}

const pollHandshake = "GET /chsk?client-id=c1&udt=1&handshake%3F=true HTTP/1.1\nHost: x\n\n"

// TestVerifyOrder: what a conn sends behind a request that waits, waits too, and is answered
// in order, whatever kind of request it is.
func TestVerifyOrder(t *testing.T) {
	r := newGrantRig(t, nil)
	s := r.open(0)
	body := `client-id=c1&ppstr=[[:a/b+%7B:n+1%7D]+nil]`
	post := fmt.Sprintf("POST /chsk HTTP/1.1\nHost: x\nContent-Type: application/x-www-form-urlencoded\n"+
		"Content-Length: %d\n\n", len(body)) + body
	s.give(pollHandshake + post + "GET / HTTP/1.1\nHost: x\n\n" + pollHandshake)
	if len(r.asked) != 1 || s.took() != "" {
		t.Fatalf("asked %v", r.asked)
	}
	r.tell(0, &auth.Grant{Tenant: "acme", UID: "alice"})
	wants(t, s.answers(), []string{`200 [[:chsk/handshake ["alice" nil nil]] nil]`})
	r.tell(1, &auth.Grant{Tenant: "acme", UID: "alice"})
	r.tell(2, &auth.Grant{Tenant: "acme", UID: "bob"})
	wants(t, s.answers(), []string{`200 [:chsk/dummy-cb-200 nil]`, "404 Nothing here; the channel socket is at /chsk",
		`200 [[:chsk/handshake ["bob" nil nil]] nil]`})
	wants(t, r.events, []string{"acme/alice c1 [:a/b {:n 1}]"})
	if n := r.e.loops[0].m.Requests.Load(); n != 4 {
		t.Errorf("%d requests are counted, want 4", n)
	}
}

// TestVerifyBodies: a request whose body came in pieces is handled whole, also when it waits
// for its identity twice: once with it, once with the next.
func TestVerifyBodies(t *testing.T) {
	r := newGrantRig(t, nil)
	s := r.open(0)
	for n := range 3 {
		body := fmt.Sprintf("client-id=c1&ppstr=[[:a/b+%d]+nil]", n)
		s.give(fmt.Sprintf("POST /chsk HTTP/1.1\nHost: x\nContent-Type: application/x-www-form-urlencoded\n"+
			"Content-Length: %d\n\n%s", len(body), body[:7]))
		s.give(body[7:20])
		s.give(body[20:])
		r.tell(n, &auth.Grant{UID: "alice"})
		wants(t, s.answers(), []string{`200 [:chsk/dummy-cb-200 nil]`})
	}
	s.give("POST /chsk?client-id=c1 HTTP/1.1\nHost: x\nContent-Type: application/x-www-form-urlencoded\n" +
		"Transfer-Encoding: chunked\n\n5\nppstr\n")
	s.give("f\n=[[:a/b 3] nil]\n0\n\n")
	if n := len(r.asked); n != 4 {
		t.Fatalf("asked %d times", n)
	}
	r.tell(3, &auth.Grant{UID: "alice"})
	wants(t, s.answers(), []string{`200 [:chsk/dummy-cb-200 nil]`})
	wants(t, r.events, []string{"/alice c1 [:a/b 0]", "/alice c1 [:a/b 1]", "/alice c1 [:a/b 2]", "/alice c1 [:a/b 3]"})
}

// TestVerifiedLate: an answer for a request that is gone, or answered, finds nothing.
func TestVerifiedLate(t *testing.T) {
	r := newGrantRig(t, nil)
	gone := r.open(0)
	gone.upgrade("c0", "")
	gone.l.closeConn(gone.c.slot)
	r.turns()
	s := r.open(0) // in the same slot
	s.upgrade("c1", "")
	r.tell(0, &auth.Grant{UID: "mallory"})
	if s.took() != "" {
		t.Fatal("told the answer of another conn")
	}
	r.tell(1, &auth.Grant{UID: "alice"})
	wants(t, s.switched(), []string{`[[:chsk/handshake ["alice" nil nil]] nil]`})
	r.tell(1, &auth.Grant{Refusal: &auth.Refusal{Status: 403}})
	r.e.Verified(1<<63, &auth.Grant{}) // a loop that there is not
	if s.closed || s.fin || s.took() != "" {
		t.Error("the second answer counts")
	}
	if n := r.e.loops[0].m.VerifiedLate.Load(); n != 2 {
		t.Errorf("%d late answers are counted, want 2", n)
	}
}

// TestVerifyTimeout: nobody waits for ever, and the conn goes on.
func TestVerifyTimeout(t *testing.T) {
	r := newGrantRig(t, nil)
	s := r.open(0)
	s.give(pollHandshake)
	r.pass(9900 * time.Millisecond)
	if s.took() != "" {
		t.Fatal("answered early")
	}
	r.pass(200 * time.Millisecond)
	if out := string(s.out); !strings.Contains(out, "\r\nRetry-After: 1\r\n") {
		t.Errorf("%q", out)
	}
	wants(t, s.answers(), []string{"503 identity is not known now"})
	r.tell(0, &auth.Grant{UID: "alice"})
	if s.took() != "" {
		t.Error("an answer that came too late is taken")
	}
	s.give(pollHandshake)
	r.pass(5 * time.Second)
	r.tell(1, &auth.Grant{UID: "alice"})
	wants(t, s.answers(), []string{`200 [[:chsk/handshake ["alice" nil nil]] nil]`})
}

// TestVerifyBound: a conn may send so much behind a request that waits, and no more.
func TestVerifyBound(t *testing.T) {
	r := newGrantRig(t, nil)
	s := r.open(0)
	body := strings.Repeat("x", 300<<10) // a body of its own is no sending ahead
	s.give(fmt.Sprintf("POST /chsk?client-id=c1 HTTP/1.1\nHost: x\nContent-Length: %d\n\n%s", len(body), body))
	for range 9 {
		s.give(strings.Repeat("y", 8<<10))
	}
	if s.closed || len(r.asked) != 1 {
		t.Fatalf("closed %v, asked %d", s.closed, len(r.asked))
	}
	s.give(strings.Repeat("y", 16<<10))
	if !s.closed {
		t.Error("it may send any amount")
	}
}

// TestVerifyDraining: a request that waits while the server goes down is answered as others
// are then.
func TestVerifyDraining(t *testing.T) {
	r := newGrantRig(t, nil)
	s, poll := r.open(0), r.open(0)
	s.upgrade("c1", "")
	poll.give(pollHandshake)
	r.e.Drain(func() {})
	r.turns()
	r.tell(0, &auth.Grant{UID: "alice"})
	r.tell(1, &auth.Grant{UID: "alice"})
	if s.took() != "" || s.closed {
		t.Error("an upgrade is answered while going down")
	}
	if out := string(poll.out); !strings.Contains(out, "Connection: close") || !strings.Contains(out, ":chsk/timeout") {
		t.Errorf("%q", out)
	}
}

// TestVerifyRefusals: the client gets status, body and Retry-After of the refusal, but no
// status that could pass for an answer; before the handshake in any case.
func TestVerifyRefusals(t *testing.T) {
	for _, c := range []struct {
		name   string
		g      auth.Grant
		fields string
		want   []string
	}{
		{"a hook's", auth.Grant{Refusal: &auth.Refusal{Status: 402, Body: "pay first"}}, "", []string{"402 pay first"}},
		{"that claims success", auth.Grant{Refusal: &auth.Refusal{Status: 204, Body: "no"}}, "", []string{"403 no"}},
		{"that claims to be elsewhere", auth.Grant{Refusal: &auth.Refusal{Status: 302}}, "", []string{"403"}},
		{"expired", auth.Grant{UID: "alice", Expires: 1_800_000_000_000}, "", []string{"401 credentials expired"}},
		{"CSRF token of the grant", auth.Grant{UID: "alice", CSRF: "t"}, "", []string{"403 Bad CSRF token"}},
		{"uid too long", auth.Grant{UID: strings.Repeat("u", 257)}, "", []string{"400 uid is longer than 256 bytes"}},
		{"handshake data that edn cannot say", auth.Grant{UID: "alice", Handshake: []byte("{:a")}, "",
			[]string{"500 The handshake data of this identity cannot be written as edn"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newGrantRig(t, nil)
			ws, poll := r.open(0), r.open(0)
			ws.upgrade("c1", c.fields)
			poll.give(pollHandshake)
			r.tell(0, &c.g)
			r.tell(1, &c.g)
			wants(t, ws.answers(), c.want)
			wants(t, poll.answers(), c.want)
			if n := r.e.loops[0].sh.Counts().Sessions; n != 0 {
				t.Errorf("%d sessions", n)
			}
		})
	}
}

// TestHandshakeData of an identity is told in each packer that can say it; to others the client
// is refused before its handshake, and counted.
func TestHandshakeData(t *testing.T) {
	r := newGrantRig(t, nil)
	r.sync = &auth.Grant{UID: "alice", Handshake: []byte("{:n 123456789012345678901234567890N}")}
	for _, c := range []struct{ packer, want string }{
		{"edn", `200 [[:chsk/handshake ["alice" nil {:n 123456789012345678901234567890N}]] nil]`},
		{"msgpack", "500 The handshake data of this identity cannot be written as msgpack"},
	} {
		s := r.open(0)
		s.give("GET /chsk/" + c.packer + "?client-id=c1&handshake%3F=1 HTTP/1.1\nHost: x\n\n")
		wants(t, s.answers(), []string{c.want})
		s = r.open(0)
		s.give("GET /chsk/" + c.packer + "?client-id=c1 HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: websocket\n" +
			"Sec-WebSocket-Version: 13\nSec-WebSocket-Key: O4NW1Vm5Eq5cJ61NweZyWA==\n\n")
		if got := s.took(); strings.HasPrefix(got, "HTTP/1.1 101 ") != strings.HasPrefix(c.want, "200") {
			t.Errorf("%s: %q", c.packer, got)
		}
	}
	if n := r.e.loops[0].m.Untranslatable.Load(); n != 2 {
		t.Errorf("%d are counted, want 2", n)
	}
}

// TestVerifyCSRF: a token of the grant lets in who shows it.
func TestVerifyCSRF(t *testing.T) {
	r := newGrantRig(t, nil)
	r.sync = &auth.Grant{UID: "alice", CSRF: "t0ken"}
	s := r.open(0)
	s.give("GET /chsk?client-id=c1&csrf-token=t0ken&handshake%3F=1 HTTP/1.1\nHost: x\n\n")
	s.give("GET /chsk?client-id=c1&csrf-token=t0kem&handshake%3F=1 HTTP/1.1\nHost: x\n\n")
	wants(t, s.answers(), []string{`200 [[:chsk/handshake ["alice" nil nil]] nil]`, "403 Bad CSRF token"})
}

// TestVerifyNeeds: a token and the application are asked for by their kinds; a mode that asks
// nobody has no Verifier.
func TestVerifyNeeds(t *testing.T) {
	r := newGrantRig(t, nil)
	r.sync = &auth.Grant{NilUID: true, Tenant: "acme", Handshake: []byte("{:role :guest}")}
	s := r.open(0)
	s.give("GET /chsk?client-id=c1&handshake%3F=1 HTTP/1.1\nHost: x\n\n")
	s.give("GET /chsk?client-id=c2&handshake%3F=1 HTTP/1.1\nHost: x\nAuthorization: Bearer a.b.c\n\n")
	wants(t, r.asked, []asking{{r.asked[0].ticket, auth.NeedHook, "c1"}, {r.asked[1].ticket, auth.NeedJWT, "c2"}})
	wants(t, s.answers()[0], "200 [[:chsk/handshake [:sente/nil-uid nil {:role :guest}]] nil]")
	bare := newGrantRig(t, func(o *Options) { o.Verifier = nil })
	s = bare.open(0)
	s.give(pollHandshake)
	wants(t, s.answers(), []string{"503 identity is not known now"})
}

// TestSubprotocol: the first that is offered and no token is answered.
func TestSubprotocol(t *testing.T) {
	for _, c := range []struct{ fields, status, answer string }{
		{"", "101", ""},
		{"Sec-WebSocket-Protocol: chsk\n", "101", "chsk"},
		{"Sec-WebSocket-Protocol: token.a.b.c, v2, v1\n", "101", "v2"},
		{"Sec-WebSocket-Protocol: v1,token.a.b.c\nOrigin: http://x\n", "101", "v1"},
		{"Sec-WebSocket-Protocol: token.a.b.c\n", "101", ""},
		{"Sec-WebSocket-Protocol: token.a.b.c\nOrigin: http://x\n", "400", ""},
		{"Sec-WebSocket-Protocol: a b\nOrigin: http://x\n", "101", ""},
	} {
		r := newGrantRig(t, nil)
		r.sync = &auth.Grant{UID: "alice"}
		s := r.open(0)
		s.upgrade("c1", c.fields)
		head, body, _ := strings.Cut(s.took(), "\r\n\r\n")
		_, answer, _ := strings.Cut(head, "Sec-WebSocket-Protocol: ")
		if !strings.HasPrefix(head, "HTTP/1.1 "+c.status) || answer != c.answer || strings.Contains(head+body, "a.b.c") {
			t.Errorf("%q: %q %q", c.fields, head, body)
		}
	}
}

// TestGrantedTopics: the session is in the topics of its identity before its first event, and
// leaves them when its client comes with another.
func TestGrantedTopics(t *testing.T) {
	r := newGrantRig(t, nil)
	topics := func() (out []string) {
		r.e.User("acme", "alice", false, func(_ UserInfo, list []SessionInfo, _, ok bool) {
			for _, s := range list {
				out = append(out, s.Topics...)
			}
		})
		r.turns()
		slices.Sort(out)
		return out
	}
	g := &auth.Grant{Tenant: "acme", UID: "alice", Topics: []string{"red", "blue"}}
	s, _ := r.upgraded(0, "c1", g)
	wants(t, topics(), []string{"blue", "red"})
	r.e.Join(&Membership{Tenant: "acme", UID: "alice", Client: "c1", Topic: "blue"}, nil)
	r.turns()
	s.l.closeConn(s.c.slot)
	r.turns()
	r.pass(time.Second)
	r.upgraded(0, "c1", &auth.Grant{Tenant: "acme", UID: "alice", Topics: []string{"green"}})
	wants(t, topics(), []string{"blue", "green"})

	r.sync = &auth.Grant{Tenant: "acme", UID: "bob", Topics: []string{"red"}}
	p := r.open(0)
	p.give("GET /chsk?client-id=c2&udt=1&handshake%3F=true HTTP/1.1\nHost: x\n\n")
	p.give("GET /chsk?client-id=c2&udt=2 HTTP/1.1\nHost: x\n\n")
	p.took()
	r.e.Push(&Push{Tenant: "other", Topic: "red", Event: []byte("[:not/yours]"), Flush: true}, nil)
	r.e.Push(&Push{Tenant: "acme", Topic: "red", Event: []byte("[:a/b]"), Flush: true}, nil)
	r.turns()
	r.pass(200 * time.Millisecond)
	wants(t, p.answers(), []string{"200 [[[:a/b]] nil]"})
}

// TestReplaysAreOfOneUser: who says the same as another, with its client-id and at the same time, is
// heard, and does not get what the other is answered.
func TestReplaysAreOfOneUser(t *testing.T) {
	r := newGrantRig(t, nil)
	body := "client-id=c1&udt=1700000000000&ppstr=[[:my/balance]+:ajax]"
	post := fmt.Sprintf("POST /chsk HTTP/1.1\nHost: x\nContent-Type: application/x-www-form-urlencoded\n"+
		"Content-Length: %d\n\n%s", len(body), body)
	for _, g := range []*auth.Grant{{Tenant: "acme", UID: "alice"}, {Tenant: "acme", UID: "bob"},
		{Tenant: "other", UID: "alice"}, {Tenant: "acme", NilUID: true}, {Tenant: "acme", UID: "alice"}} {
		r.sync = g
		r.open(0).give(post)
	}
	wants(t, r.events, []string{"acme/alice c1 [:my/balance]", "acme/bob c1 [:my/balance]",
		"other/alice c1 [:my/balance]", "acme/nil c1 [:my/balance]"}) // the last one is a replay
}

// TestRevoke: whoever was admitted before is ended, however far it had come.
func TestRevoke(t *testing.T) {
	r := newGrantRig(t, func(o *Options) { o.Loops = 2 })
	alice := identity{tenant: []byte("acme"), uid: []byte("alice")}
	home := r.e.homeOf(&alice)
	there, _ := r.upgraded(1-home, "c0", &auth.Grant{Tenant: "acme", UID: "alice"})
	other, _ := r.upgraded(home, "c0", &auth.Grant{Tenant: "other", UID: "alice"})

	r.sync = &auth.Grant{Tenant: "acme", UID: "alice"}
	late := r.open(1 - home)
	late.in = []byte(strings.ReplaceAll("GET /chsk?client-id=c1 HTTP/1.1\nHost: x\nConnection: Upgrade\n"+
		"Upgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: O4NW1Vm5Eq5cJ61NweZyWA==\n\n", "\n", "\r\n"))
	late.l.onTraffic(late.c.slot) // admitted, and its attach is not at home yet
	ended := -1
	if !r.e.Revoke("acme", "alice", 4403, "out", func(n int) { ended = n }) {
		t.Fatal("not revoked")
	}
	r.wanted[home] = false // home hears of it first
	r.e.loops[home].turn()
	r.turns()
	wants(t, r.revoked, []string{"acme/alice"})
	late.switched()
	if ended != 2 {
		t.Errorf("%d sessions are ended, want 2", ended)
	}
	wants(t, there.frames(), []string{"close 4403 out"})
	wants(t, other.frames(), []string(nil))
	if late.c.flags&fCloseSent == 0 {
		t.Error("who was on the way got in")
	}
	bare := newGrantRig(t, func(o *Options) { o.Verifier = nil })
	if bare.e.Revoke("acme", "alice", 4403, "", nil) {
		t.Error("revoked by nobody")
	}
}
