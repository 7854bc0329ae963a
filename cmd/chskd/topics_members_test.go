package main_test

import (
	"fmt"
	"slices"
	"testing"
)

// TestTopicJoinEarly: who is not there cannot join; who was there and may come back can.
func TestTopicJoinEarly(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev")
	membership(t, d, "join", `"uid":"alice"`, "news", false)
	membership(t, d, "leave", `"uid":"alice"`, "news", false)
	c := connectWS(t, d, "c1", "&uid=alice")
	(&backend{t, d}).awaitClient("alice")
	pushTopic(t, d, "news", "", "[:t/n 0]", 0)
	membership(t, d, "join", `"uid":"alice","client":"c2"`, "news", false)
	membership(t, d, "join", `"uid":"alice"`, "news", true)
	pushTopic(t, d, "news", "", "[:t/n 1]", 1)
	wantEvents(t, c, "[:t/n 1]")
	// A user's later clients are in it too, a client's own membership is its own.
	c2 := connectWS(t, d, "c2", "&uid=alice")
	userIs(t, d, "uid=alice", 2, 0)
	membership(t, d, "join", `"uid":"alice","client":"c2"`, "own", true)
	pushTopic(t, d, "news", "", "[:t/n 2]", 2)
	wantEvents(t, c, "[:t/n 2]")
	wantEvents(t, c2, "[:t/n 2]")
	pushTopic(t, d, "own", "", "[:t/n 3]", 1)
	wantEvents(t, c2, "[:t/n 3]")
	pushTopic(t, d, "news", "", "[:t/n 4]", 2)
	wantEvents(t, c, "[:t/n 4]")
}

// TestTopicLeave: leaving counts at once, also for what waits for the end of its batch's window.
func TestTopicLeave(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev", "--send-buf-ms-ws", "60000")
	c := connectWS(t, d, "c1", "&uid=alice")
	(&backend{t, d}).awaitClient("alice")
	membership(t, d, "join", `"uid":"alice"`, "news", true)
	pushEDN(t, d, `"topic":"news"`, "[:t/n 1]") // opens the window
	wantEvents(t, c, "[:t/n 1]")
	pushEDN(t, d, `"topic":"news"`, "[:t/n 2]") // waits for its end
	membership(t, d, "leave", `"uid":"alice"`, "news", true)
	membership(t, d, "leave", `"uid":"alice"`, "news", false)
	pushTopic(t, d, "news", "", "[:t/n 3]", 0)
	membership(t, d, "join", `"uid":"alice"`, "news", true)
	pushTopic(t, d, "news", "", "[:t/n 4]", 1)
	wantEvents(t, c, "[:t/n 4]")
}

// TestTopicAway: a client that is away keeps its topics as long as its session is kept, and no
// longer.
func TestTopicAway(t *testing.T) {
	t.Parallel()
	t.Run("kept", func(t *testing.T) {
		d := startDaemon(t, "--auth", "dev", "--ms-allow-reconnect-before-close-ws", "0")
		c := connectWS(t, d, "c1", "&uid=alice")
		(&backend{t, d}).awaitClient("alice")
		membership(t, d, "join", `"uid":"alice"`, "news", true)
		membership(t, d, "join", `"uid":"alice","client":"c1"`, "own", true)
		c.acknowledge()
		c.leave()
		presentIs(t, d, 0, 0, 0)
		pushTopic(t, d, "news", "", "[:t/n 1]", 0)
		pushTopic(t, d, "own", "", "[:t/n 2]", 0)
		wantEvents(t, connectWS(t, d, "c1", "&uid=alice"), "[:t/n 1]", "[:t/n 2]")
	})
	t.Run("forgotten", func(t *testing.T) {
		d := startDaemon(t, "--auth", "dev", "--ms-allow-reconnect-before-close-ws", "0",
			"--session-keep-ms", "0")
		b := &backend{t, d}
		c := connectWS(t, d, "c1", "&uid=alice")
		b.awaitClient("alice")
		membership(t, d, "join", `"uid":"alice"`, "news", true)
		membership(t, d, "join", `"uid":"alice","client":"c1"`, "own", true)
		b.awaitCounter("members_now", 2)
		b.awaitCounter("topics_now", 2)
		c.leave()
		b.awaitCounter("members_now", 0)
		b.awaitCounter("topics_now", 0)
		c = connectWS(t, d, "c1", "&uid=alice")
		b.awaitClient("alice")
		pushTopic(t, d, "news", "", "[:t/n 1]", 0)
		pushTopic(t, d, "own", "", "[:t/n 2]", 0)
		pushEDN(t, d, `"uid":"alice"`, "[:t/n 3]")
		wantEvents(t, c, "[:t/n 3]")
	})
}

// TestTopicConnected: the topics of a user and of its clients are shown, not more than 1,000 of
// each, and users without uid join by their clients only.
func TestTopicConnected(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev")
	b := &backend{t, d}
	connectWS(t, d, "c1", "&uid=alice")
	b.awaitClient("alice")
	membership(t, d, "join", `"uid":"alice"`, "a", true)
	membership(t, d, "join", `"uid":"alice"`, "b", true)
	membership(t, d, "join", `"uid":"alice","client":"c1"`, "c", true)
	var user struct {
		Topics  []string
		More    bool `json:"more_topics"`
		Clients []struct {
			Topics []string
			More   bool `json:"more_topics"`
		}
	}
	b.get("/v1/connected?uid=alice", &user)
	slices.Sort(user.Topics)
	if !slices.Equal(user.Topics, []string{"a", "b"}) || user.More || len(user.Clients) != 1 ||
		!slices.Equal(user.Clients[0].Topics, []string{"c"}) || user.Clients[0].More {
		t.Errorf("alice: %+v", user)
	}
	lines := speakLines(t, d)
	const most = 10000
	for i := range most - 2 {
		lines.say(`{"op":"join","uid":"alice","topic":"t%d"}`, i)
	}
	lines.say(`{"op":"join","uid":"alice","topic":"one too many","ref":1}`)
	lines.want(`"type":"error"`, `"ref":1`, `10,000 topics`)
	lines.say(`{"op":"join","uid":"alice","topic":"a","ref":2}`)
	lines.want(`"ref":2`, `"joined":true`)
	user.Topics = nil
	b.get("/v1/connected?uid=alice", &user)
	if len(user.Topics) != 1000 || !user.More {
		t.Errorf("%d topics, more: %v", len(user.Topics), user.More)
	}
	if n := counter(t, d, "joins_refused"); n != 1 {
		t.Errorf("%d joins refused", n)
	}
}

// TestTopicNoUID: users without uid are members by their clients, wherever these are at home.
func TestTopicNoUID(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "anonymous", "--loops", "2")
	var clients []*wsClient
	const n = 6
	for i := range n {
		clients = append(clients, connectWS(t, d, fmt.Sprintf("c%d", i), ""))
	}
	userIs(t, d, "nil_uid=1", n, 0)
	for i := range n {
		membership(t, d, "join", fmt.Sprintf(`"uid":null,"client":"c%d"`, i), "news", true)
	}
	pushTopic(t, d, "news", "", "[:t/n 1]", n)
	for _, c := range clients {
		wantEvents(t, c, "[:t/n 1]")
	}
}

// TestTopicUsers: who is in a topic and online, page by page, over both dialects; a user is in by
// itself or by one of its clients.
func TestTopicUsers(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev", "--loops", "2", "--ms-allow-reconnect-before-close-ws", "0")
	const n = 5
	var want []string
	for i := range n {
		uid := fmt.Sprintf("user%d", i)
		c := connectWS(t, d, uid+"-tab", "&uid="+uid)
		(&backend{t, d}).awaitClient(uid)
		switch i {
		case 0: // stays out
		case 1:
			membership(t, d, "join", `"uid":"user1","client":"user1-tab"`, "news", true)
			want = append(want, uid)
		case 2: // in, and away
			membership(t, d, "join", `"uid":"user2"`, "news", true)
			c.leave()
			userIs(t, d, "uid=user2", 0, 0)
		default:
			membership(t, d, "join", fmt.Sprintf(`"uid":%q`, uid), "news", true)
			want = append(want, uid)
		}
	}
	for _, limit := range []int{1, 2, 100} {
		if got := topicPages(t, d, "topic=news", limit); !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v, want %v", limit, got, want)
		}
	}
	if got := topicPages(t, d, "topic=news&tenant=other", 10); len(got) != 0 {
		t.Errorf("another tenant's: %v", got)
	}
	lines := speakLines(t, d)
	lines.say(`{"op":"connected","topic":"nowhere","ref":1}`)
	if got := lines.next(); got != `{"type":"result","ref":1,"any":[],"ws":[],"ajax":[]}` {
		t.Error(got)
	}
}

// topicPages reads all pages of a list of users, and sorts them.
func topicPages(t *testing.T, d *daemon, query string, limit int) (uids []string) {
	t.Helper()
	b := &backend{t, d}
	for after := ""; ; {
		var page struct {
			Any, WS []string
			Count   any
			Next    string
		}
		b.get(fmt.Sprintf("/v1/connected?%s&limit=%d&after=%s", query, limit, after), &page)
		if len(page.Any) > limit || len(page.WS) != len(page.Any) || page.Count != nil {
			t.Fatalf("a page is %+v", page)
		}
		uids = append(uids, page.Any...)
		if after = page.Next; after == "" {
			slices.Sort(uids)
			return uids
		}
	}
}
