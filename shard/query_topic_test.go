package shard_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/chskd/chskd/shard"
)

// topicUsers reads all pages of a topic's users: "ws ajax" by uid.
func topicUsers(t *testing.T, s *shard.Shard, tenant, topic string, limit int) map[string]string {
	t.Helper()
	seen := map[string]string{}
	for after, last := uint32(0), uint32(0); ; {
		visited := 0
		after = s.TopicUsers([]byte(tenant), []byte(topic), after, limit,
			func(slot uint32, u shard.UserInfo) {
				name := fmt.Sprintf("%s %v", u.UID, u.NilUID)
				if _, twice := seen[name]; twice || slot <= last {
					t.Fatalf("%s in slot %d after %d, twice %v", name, slot, last, twice)
				}
				seen[name], last = fmt.Sprint(u.WS, u.Ajax), slot
				visited++
			})
		if visited > limit {
			t.Fatalf("%d users on a page of %d", visited, limit)
		}
		if after == 0 {
			return seen
		}
	}
}

// TestTopicUsers: users who are in a topic, by themselves or by a session, and nobody else; also
// where the topic is so big that it is the users who are looked through.
func TestTopicUsers(t *testing.T) {
	s := shard.New(shard.Config{Keep: 60000})
	join := func(uid, client string) {
		to := shard.To{UID: []byte(uid)}
		if client != "" {
			to.Client = []byte(client)
		}
		if uid == "" {
			to.UID, to.NilUID = nil, true
		}
		joinOne(t, s, to, []byte("room"))
	}
	const n = 50
	attachMany(s, 2*n)
	want := map[string]string{}
	for i := range n {
		join(string(uidOf(2*i)), "")
		want[string(uidOf(2*i))+" false"] = "1 0"
	}
	ref := uint64(1000)
	attach := func(tenant, uid, client string) shard.SessionID {
		ref++
		k := shard.Key{Tenant: []byte(tenant), UID: []byte(uid), Client: []byte(client)}
		if uid == "" {
			k.UID, k.NilUID = nil, true
		}
		id, _, err := s.AttachWS(0, k, ref, 0)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	// By one session of two; by itself and by a session; the users without uid by two of three.
	attach("", "alice", "c1")
	attach("", "alice", "c2")
	join("alice", "c2")
	attach("", "bob", "c1")
	attach("", "bob", "c2")
	join("bob", "")
	join("bob", "c1")
	for _, client := range []string{"c1", "c2", "c3"} {
		attach("", "", client)
	}
	join("", "c1")
	join("", "c3")
	want["alice false"], want["bob false"], want[" true"] = "1 0", "2 0", "2 0"
	// Not there: in another topic, of another tenant, away and kept, away with one client of two.
	attach("", "carol", "c1")
	joinOne(t, s, shard.To{UID: []byte("carol")}, []byte("other"))
	attach("acme", "dora", "c1")
	joinOne(t, s, shard.To{Tenant: []byte("acme"), UID: []byte("dora")}, []byte("room"))
	id := attach("", "eve", "c1")
	join("eve", "")
	s.DetachWS(0, id, ref, 0, false)
	id = attach("", "fred", "c1")
	join("fred", "c1")
	s.DetachWS(0, id, ref, 0, false)
	attach("", "fred", "c2")
	s.Advance(0)

	for _, big := range []uint32{shard.BigTopic, 1} {
		s.Shrink(big, 64)
		for _, limit := range []int{1, 7, 53, 1000} {
			if got := topicUsers(t, s, "", "room", limit); !maps.Equal(got, want) {
				t.Errorf("big is %d, limit %d:\n got %v\nwant %v", big, limit, got, want)
			}
		}
		if got := topicUsers(t, s, "acme", "room", 10); fmt.Sprint(got) != "map[dora false:1 0]" {
			t.Errorf("the other tenant: %v", got)
		}
	}
	for _, none := range [][2]string{{"", "nowhere"}, {"nobody", "room"}} {
		if got := topicUsers(t, s, none[0], none[1], 10); len(got) != 0 {
			t.Errorf("%v: %v", none, got)
		}
	}
}
