package engine

import (
	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/shard"
)

// UserInfo is a user who is present.
type UserInfo struct {
	Tenant, UID string
	NilUID      bool
	WS, Ajax    int // sessions by transport

	// Told by User only: topics of the user, at most 1,000.
	Topics     []string
	MoreTopics bool // there are more
}

// SessionInfo is one session of a user.
type SessionInfo struct {
	Client   string
	WS, Ajax bool
	Packer   packer.Packer
	Lag      uint64 // entries that it has not been sent yet

	Topics     []string // that it is in by itself, at most 1,000
	MoreTopics bool     // there are more
}

// Page is a part of the list of all users who are present. Users without uid appear
// once for every loop.
type Page struct {
	Users []UserInfo
	Next  uint64 // where to go on, 0 at the end
}

// Numbers are what the loops know about themselves at one moment.
type Numbers struct {
	Shards  shard.Counts // summed, where the users without uid of a tenant are one user
	Returns shard.Returns
	Oldest  uint32 // ms: the age of the oldest event that some session has not confirmed
	Open    int    // connections
	Served  int
	Buffers int64 // lent by bufpool
	Loops   int
}

// query is a question that goes from loop to loop until it is answered.
type query struct {
	limit   int
	after   uint64 // loop in the top 32 bits, slot + 1 below
	page    *Page
	onPage  func(*Page)
	tenant  []byte
	topic   []byte // only the users in this one of the tenant; nil = all users
	user    *userTold
	onUser  func(u UserInfo, list []SessionInfo, more, ok bool)
	numbers *Numbers
	nils    map[string]nilUser // users without uid, by tenant
	onStats func(*Numbers)
	lags    []uint64
	onLags  func([]uint64)
}

// Users lists users who are present, at most limit of them, from `after` (0, or Next
// of the page before). done is called on a loop and must not block. Any goroutine.
func (e *Engine) Users(after uint64, limit int, done func(*Page)) {
	e.postPage(&query{limit: limit, after: after, page: &Page{}, onPage: done})
}

// TopicUsers lists the users of a tenant who are present and in a topic, with all their
// sessions or by a present session of their own; WS and Ajax are of the sessions that are in
// it. The rest is as with Users. Any goroutine.
func (e *Engine) TopicUsers(tenant, topic string, after uint64, limit int, done func(*Page)) {
	e.postPage(&query{limit: limit, after: after, page: &Page{}, onPage: done,
		tenant: []byte(tenant), topic: []byte(topic)})
}

func (e *Engine) postPage(q *query) {
	loop := int(q.after >> 32)
	if loop >= len(e.loops) {
		q.onPage(q.page)
		return
	}
	e.queues[loop].Post(msg{kind: mQuery, cmd: &command{query: q}})
}

// sessionsTold is how many sessions User tells at most; only the users without uid
// have more.
const sessionsTold = 1000

// User tells the sessions of one user; ok is false when it is not present and no session
// of it is kept, more is true when not all are told. The users without uid are asked for
// in every loop. done is called on a loop and must not block. Any goroutine.
func (e *Engine) User(tenant, uid string, nilUID bool,
	done func(u UserInfo, list []SessionInfo, more, ok bool)) {
	id := identity{tenant: []byte(tenant), uid: []byte(uid)}
	home := 0
	if !nilUID {
		home = e.homeOf(&id)
	}
	e.queues[home].Post(msg{kind: mQuery,
		cmd: &command{tenant: tenant, uid: uid, nilUID: nilUID, query: &query{onUser: done, user: &userTold{left: allTopicsTold}}}})
}

// userTold collects what User tells.
type userTold struct {
	info UserInfo
	list []SessionInfo
	more bool
	ok   bool
	left int // topics that may still be told
}

// Stats tells the numbers of all loops. done is called on a loop and must not block.
func (e *Engine) Stats(done func(*Numbers)) {
	q := &query{numbers: &Numbers{Loops: len(e.loops)}, nils: map[string]nilUser{}, onStats: done}
	e.queues[0].Post(msg{kind: mQuery, cmd: &command{query: q}})
}

// onQuery answers a question, or adds this loop's part and passes it on.
func (l *loop) onQuery(m *msg) {
	q := m.cmd.query
	switch {
	case q.onUser != nil:
		l.tellUser(m, q)
	case q.onPage != nil:
		l.addUsers(m, q)
	case q.onStats != nil:
		l.addNumbers(m, q)
	case q.onLags != nil:
		l.addLags(m, q)
	}
}

func (l *loop) tellUser(m *msg, q *query) {
	t := q.user
	had := len(t.list)
	u, ok := l.sh.User(m.cmd.to(), func(s shard.SessionInfo) {
		if len(t.list) == sessionsTold {
			t.more = true
			return
		}
		t.list = append(t.list, SessionInfo{Client: string(s.Client), WS: s.WS, Ajax: s.Ajax,
			Packer: packer.Packer(s.Packer), Lag: s.Lag})
	})
	if ok {
		ws, ajax := t.info.WS, t.info.Ajax
		t.info, t.ok = userInfo(u), true
		t.info.WS += ws
		t.info.Ajax += ajax
		l.tellTopics(m.cmd, t, had)
	}
	if m.cmd.nilUID && l.id+1 < len(l.eng.loops) {
		l.post(l.id+1, *m)
		return
	}
	q.onUser(t.info, t.list, t.more, t.ok)
}

// tellTopics adds the topics of the user, and of the sessions that were told from index
// had on.
func (l *loop) tellTopics(cmd *command, t *userTold, had int) {
	to := cmd.to()
	t.info.Topics, t.info.MoreTopics = l.topicsOf(to, &t.left)
	for i := had; i < len(t.list); i++ {
		one := &t.list[i]
		to.Client = []byte(one.Client)
		one.Topics, one.MoreTopics = l.topicsOf(to, &t.left)
	}
}

func userInfo(u shard.UserInfo) UserInfo {
	return UserInfo{Tenant: string(u.Tenant), UID: string(u.UID), NilUID: u.NilUID, WS: u.WS, Ajax: u.Ajax}
}

func (l *loop) addUsers(m *msg, q *query) {
	after, limit := uint32(q.after), q.limit-len(q.page.Users)
	add := func(_ uint32, u shard.UserInfo) {
		q.page.Users = append(q.page.Users, userInfo(u))
	}
	var next uint32
	if q.topic == nil {
		next = l.sh.Users(after, limit, add)
	} else {
		next = l.sh.TopicUsers(q.tenant, q.topic, after, limit, add)
	}
	switch {
	case next != 0:
		q.page.Next = uint64(l.id)<<32 | uint64(next)
		q.onPage(q.page)
	case l.id+1 == len(l.eng.loops):
		q.onPage(q.page)
	case len(q.page.Users) >= q.limit:
		q.page.Next = uint64(l.id+1) << 32
		q.onPage(q.page)
	default:
		q.after = uint64(l.id+1) << 32
		l.post(l.id+1, *m)
	}
}

func (l *loop) addNumbers(m *msg, q *query) {
	c, sum := l.sh.Counts(), &q.numbers.Shards
	sum.Users += c.Users
	sum.Sessions += c.Sessions
	sum.Kept += c.Kept
	sum.WS += c.WS
	sum.Ajax += c.Ajax
	sum.WSUsers += c.WSUsers
	sum.AjaxUsers += c.AjaxUsers
	l.sh.NilPresent(func(tenant string, ws, ajax bool) { q.addNil(tenant, ws, ajax) })
	sum.Entries += c.Entries
	sum.LogBytes += c.LogBytes
	sum.Gaps += c.Gaps
	sum.GapEvents += c.GapEvents
	sum.Topics += c.Topics
	sum.Members += c.Members
	sum.Superseded += c.Superseded
	sum.Expired += c.Expired
	sum.Evicted += c.Evicted
	r, returns := l.sh.Returns(), &q.numbers.Returns
	returns.New += r.New
	returns.InGrace += r.InGrace
	returns.Kept += r.Kept
	returns.Early += r.Early
	q.numbers.Oldest = max(q.numbers.Oldest, l.sh.OldestMs(l.now))
	if l.id+1 < len(l.eng.loops) {
		l.post(l.id+1, *m)
		return
	}
	q.numbers.Open, q.numbers.Served = l.eng.gate.Counts()
	q.numbers.Buffers = bufpool.Live()
	q.onStats(q.numbers)
}

// nilUser is the user without uid of a tenant: in which sets it is.
type nilUser struct{ ws, ajax bool }

// addNil counts a user without uid that is in several loops only once.
func (q *query) addNil(tenant string, ws, ajax bool) {
	before, seen := q.nils[tenant]
	sum := &q.numbers.Shards
	if seen {
		sum.Users--
	}
	if ws && before.ws {
		sum.WSUsers--
	}
	if ajax && before.ajax {
		sum.AjaxUsers--
	}
	q.nils[tenant] = nilUser{ws: ws || before.ws, ajax: ajax || before.ajax}
}
