package shard_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/chskd/chskd/shard"
)

func TestOf(t *testing.T) {
	// xxhash64 of tenant, NUL, uid: the vectors are what every build must give,
	// for a user's home must not depend on it.
	for _, c := range []struct {
		tenant, uid string
		want        uint64
	}{
		{"", "", 0xe934a84adb052768},
		{"", "alice", 0x335d7d9099a8933f},
		{"t", "alice", 0xa75543180f0c78b9},
	} {
		if got := shard.Of([]byte(c.tenant), []byte(c.uid)); got != c.want {
			t.Errorf("Of(%q, %q) = %#x, want %#x", c.tenant, c.uid, got, c.want)
		}
	}
	if shard.Of([]byte("a"), []byte("b")) == shard.Of([]byte("ab"), nil) {
		t.Error("the tenant's end does not count")
	}
	// Without uid it is the client-id that counts, just as a uid would.
	if shard.OfClient([]byte("t"), []byte("c")) != shard.Of([]byte("t"), []byte("c")) {
		t.Error("a client-id is hashed in another way")
	}
	long := make([]byte, 4096)
	if shard.Of(long, long) == shard.Of(long, long[1:]) {
		t.Error("a long uid's end does not count")
	}
}

func TestErrorsCarryAnswers(t *testing.T) {
	s := shard.New(shard.Config{UserSessions: 1})
	attachKey(t, s, "alice", "c1", 1)
	_, _, err := s.AttachWS(0, shard.Key{UID: []byte("alice"), Client: []byte("c2")}, 2, 0)
	var e *shard.Error
	if !errors.As(err, &e) || e.Status != 429 || e.Code != 1013 || e.Reason == "" {
		t.Fatalf("%#v", err)
	}
	if e.Error() != "shard: too many sessions of this user" {
		t.Fatalf("%q", e.Error())
	}
}

func attachKey(t *testing.T, s *shard.Shard, uid, client string, ref uint64) shard.SessionID {
	t.Helper()
	id, _, err := s.AttachWS(0, shard.Key{UID: []byte(uid), Client: []byte(client)}, ref, 0)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestOnlySessionMakesRoom: the kept session that makes room is its user's only
// one, so that the user goes and comes back within one call.
func TestOnlySessionMakesRoom(t *testing.T) {
	s := shard.New(shard.Config{UserSessions: 1, Keep: 60000})
	id := attachKey(t, s, "alice", "c1", 1)
	s.DetachWS(0, id, 1, 0, true)
	s.Advance(0)
	var p shard.Presence
	for s.NextPresence(&p) {
	}
	attachKey(t, s, "alice", "c2", 2)
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	if c := s.Counts(); c.Evicted != 1 || c.Sessions != 1 || c.Users != 1 {
		t.Fatalf("%+v", c)
	}
}

// TestGapBeyondTombs: a session is told at least all that it missed, however
// much; a session that stands inside what was joined is told no less either.
func TestGapBeyondTombs(t *testing.T) {
	s := shard.New(shard.Config{LogEntries: 1, Keep: 60000})
	a := attachKey(t, s, "alice", "c1", 1)
	b := attachKey(t, s, "alice", "c2", 2)
	p := &still{}
	const pushes = 3 * shard.TombsMax
	var d shard.Delivery
	for i := range pushes {
		s.Push(0, shard.To{UID: []byte("alice")}, p, true)
		if i == 0 {
			s.Confirm(a, 1, nextTo(t, s, &d, 1, 2))
		}
		if i == 1 {
			s.DetachWS(0, a, 1, 0, true)
			s.DetachWS(0, b, 2, 0, true)
		}
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	attachKey(t, s, "alice", "c1", 3)
	attachKey(t, s, "alice", "c2", 4)
	missed := map[uint64]uint64{}
	for s.NextDelivery(0, &d) {
		missed[d.Ref] += d.Missed
	}
	// c1 had confirmed the first; it stands inside what was joined.
	if missed[4] != pushes-1 || missed[3] < pushes-2 || missed[3] > pushes-1 {
		t.Fatalf("missed %v of %d", missed, pushes-1)
	}
}

// nextTo takes the deliveries to all of refs and returns the end of the first's.
func nextTo(t *testing.T, s *shard.Shard, d *shard.Delivery, refs ...uint64) (to uint64) {
	t.Helper()
	for range refs {
		if !s.NextDelivery(0, d) || !slices.Contains(refs, d.Ref) {
			t.Fatalf("no delivery to one of %v: %+v", refs, d)
		}
		if d.Ref == refs[0] {
			to = d.To
		}
	}
	return to
}

// TestWalkLetsOthersGo: a walk over sessions that have nothing to get is cut,
// and Due says that it goes on.
func TestWalkLetsOthersGo(t *testing.T) {
	s := shard.New(shard.Config{FlushWS: 30})
	attachMany(s, 3*shard.WalkVisits)
	id, _, err := s.AttachWS(0, shard.Key{Tenant: []byte("t"), Client: []byte("c")}, 1<<40, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.PushAll(5, []byte("t"), &still{}, false, nil)
	var d shard.Delivery
	calls := 0
	for !s.NextDelivery(5, &d) {
		if due, ok := s.Due(); !ok || due != 5 {
			t.Fatalf("a walk waits, and Due is %d %v", due, ok)
		}
		if calls++; calls > 10 {
			t.Fatal("the walk never ends")
		}
	}
	if d.ID != id || calls != 3 {
		t.Fatalf("delivered to %x after %d calls", d.ID, calls)
	}
	if s.NextDelivery(5, &d) {
		t.Fatal("delivered twice")
	}
	if due, _ := s.Due(); due != 35 {
		t.Fatalf("at rest, and Due is %d", due)
	}
}

// TestWalkWithNewcomers: sessions that come during a walk do not take the place
// of those that it has not come to, wherever it began.
func TestWalkWithNewcomers(t *testing.T) {
	s := shard.New(shard.Config{})
	attachMany(s, 100)
	var d shard.Delivery
	got := map[uint64]int{}
	take := func(n int) {
		for n > 0 && s.NextDelivery(5, &d) {
			got[d.Ref] += len(d.Run.Entries)
			n--
		}
	}
	s.PushAll(5, nil, &still{}, false, nil)
	take(60)
	s.PushAll(5, nil, &still{}, false, nil) // a round from the 61st on
	take(10)
	for i := range 20 {
		attachKey(t, s, fmt.Sprint("new", i), "c", uint64(1000+i))
	}
	take(1000)
	for ref := range uint64(100) {
		if got[ref+1] != 2 {
			t.Errorf("the session of %d got %d of 2", ref+1, got[ref+1])
		}
	}
}

// TestAdvanceIsBounded: when very many graces end at once, one call handles a
// part, and Due says that there is more.
func TestAdvanceIsBounded(t *testing.T) {
	s := shard.New(shard.Config{WSGrace: 10})
	const n = 2*shard.AdvanceMax + 1
	for i, id := range attachMany(s, n) {
		s.DetachWS(0, id, uint64(i+1), 0, false)
	}
	for call := 1; ; call++ {
		s.Advance(10)
		left := max(0, n-call*shard.AdvanceMax)
		if c := s.Counts(); c.Sessions != left {
			t.Fatalf("%d sessions after %d calls", c.Sessions, call)
		}
		if due, ok := s.Due(); ok != (left > 0) || ok && due != 10 {
			t.Fatalf("%d sessions left, and Due is %d %v", left, due, ok)
		}
		if left == 0 {
			return
		}
	}
}

// TestUsersArePaged: pages of any length give every present user once.
func TestUsersArePaged(t *testing.T) {
	s := shard.New(shard.Config{})
	attachMany(s, 100)
	id := attachKey(t, s, "gone", "c", 1<<40)
	s.DetachWS(0, id, 1<<40, 0, false)
	s.Advance(0)
	for _, limit := range []int{1, 7, 100, 1000} {
		seen := map[string]bool{}
		after, pages := uint32(0), 0
		for {
			after = s.Users(after, limit, func(slot uint32, u shard.UserInfo) {
				if seen[string(u.UID)] || u.WS != 1 || slot == 0 {
					t.Fatalf("%+v", u)
				}
				seen[string(u.UID)] = true
			})
			if pages++; after == 0 {
				break
			}
		}
		if len(seen) != 100 || pages > 100/limit+2 {
			t.Errorf("limit %d: %d users in %d pages", limit, len(seen), pages)
		}
	}
}

// TestSharedRuns: sessions that get the same entries get the same run, and what
// the caller sealed in it is released once.
func TestSharedRuns(t *testing.T) {
	s := shard.New(shard.Config{})
	attachKey(t, s, "alice", "c1", 1)
	attachKey(t, s, "alice", "c2", 2)
	attachKey(t, s, "bob", "c3", 3)
	s.Push(0, shard.To{UID: []byte("alice")}, &still{}, false)
	s.PushAll(0, nil, &still{}, false, nil)
	runs := map[uint64]*shard.Run{}
	sealed := &still{}
	var d shard.Delivery
	for s.NextDelivery(0, &d) {
		runs[d.Ref] = d.Run
		if d.Run.Sealed[0] == nil {
			d.Run.Sealed[0] = sealed
		}
	}
	if len(runs) != 3 || runs[1] != runs[2] || runs[1] == runs[3] {
		t.Fatalf("%v", runs)
	}
	if sealed.released != 2 {
		t.Fatalf("%d sealed runs released", sealed.released)
	}
}

// TestManyWithoutUID: a push to all sessions without uid, and one to a single
// one of them, among very many.
func TestManyWithoutUID(t *testing.T) {
	s := shard.New(shard.Config{UserSessions: 10})
	const n = 3000
	for i := range n {
		k := shard.Key{NilUID: true, Client: fmt.Appendf(nil, "c%d", i)}
		if _, _, err := s.AttachWS(0, k, uint64(i+1), 0); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Push(0, shard.To{NilUID: true}, &still{}, false); got != n {
		t.Fatalf("pushed to %d", got)
	}
	one := shard.To{NilUID: true, Client: []byte("c77")}
	if got := s.Push(0, one, &still{}, true); got != 1 {
		t.Fatalf("pushed to %d", got)
	}
	var d shard.Delivery
	sizes := map[int]int{}
	for s.NextDelivery(0, &d) {
		sizes[len(d.Run.Entries)]++
	}
	if sizes[1] != n-1 || sizes[2] != 1 {
		t.Fatalf("%v", sizes)
	}
}
