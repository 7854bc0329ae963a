package shard

import (
	"fmt"
	"unsafe"
)

// Sizes of the values that exist once a user and once a session, in bytes.
const (
	UserSize    = unsafe.Sizeof(user{})
	TopicSize   = unsafe.Sizeof(topic{})
	MemberSize  = unsafe.Sizeof(member{})
	HoldingSize = unsafe.Sizeof(holding{})
	EntrySize   = unsafe.Sizeof(Entry{})
	SessionSize = unsafe.Sizeof(session{})
)

// IndexBytes is what the two hash indexes take beside the slabs.
func (s *Shard) IndexBytes() int { return s.users.bytes() + s.sessions.bytes() }

func (x *index) bytes() int { return 4 * chunkLen * len(x.buckets) }

// TopicIndexBytes is the same for topics and memberships.
func (s *Shard) TopicIndexBytes() int {
	return s.topics.index.bytes() + s.members.index.bytes()
}

// IDBytes is what the ids of users and sessions, topics' names and keys take.
func (s *Shard) IDBytes() int { return s.ids.Bytes() }

// Check tests every invariant that the types state.
func (s *Shard) Check() error {
	users, tenants := map[uint32]*tally{}, map[uint32]*tally{}
	cursors := map[*log]uint32{}
	for slot := uint32(1); slot <= s.users.used; slot++ {
		if u := s.users.at(slot); u.alive() {
			users[slot] = &tally{}
			if tenants[u.tenant] == nil {
				tenants[u.tenant] = &tally{}
			}
		}
	}
	for slot := uint32(1); slot <= s.sessions.used; slot++ {
		se := s.sessions.at(slot)
		if !se.node.alive() {
			continue
		}
		if err := s.checkSession(slot, se); err != nil {
			return err
		}
		for _, t := range []*tally{users[se.user], tenants[s.users.at(se.user).tenant]} {
			t.sessions++
			t.followers += step(false, !se.has(ended))
			t.reach += step(false, se.flags.reachable())
			t.ws += step(false, se.has(inWS))
			t.ajax += step(false, se.has(inAjax))
			t.present += step(false, se.present())
		}
		logs, _ := s.logsOf(se)
		for _, l := range logs {
			if l != nil && !se.has(ended) {
				cursors[l]++
			}
		}
	}
	if err := s.checkTopics(cursors); err != nil {
		return err
	}
	ws, ajax := 0, 0
	for slot, want := range users {
		u := s.users.at(slot)
		ws += int(min(want.ws, 1))
		ajax += int(min(want.ajax, 1))
		got := s.tallyOf(u)
		if (u.tally != 0) != (want.sessions > 1) {
			return fmt.Errorf("user %d has %d sessions, and its tally is %d", slot, want.sessions, u.tally)
		}
		if got != *want {
			return fmt.Errorf("user %d counts %+v, has %+v", slot, got, *want)
		}
	}
	if ws != s.counts.WSUsers || ajax != s.counts.AjaxUsers {
		return fmt.Errorf("%d users over WebSocket, %d over Ajax, counted %+v", ws, ajax, s.counts)
	}
	for slot, want := range tenants {
		t := s.tenants[slot]
		if t.followers != want.followers || t.reach != want.reach ||
			t.ws != want.ws || t.ajax != want.ajax {
			return fmt.Errorf("tenant %d counts %+v, has %+v", slot, *t, *want)
		}
	}
	return s.checkLogs(cursors)
}

func (s *Shard) checkSession(slot uint32, se *session) error {
	if se.confirmed > se.sent || se.sent > s.seq {
		return fmt.Errorf("session %d: confirmed %d, sent %d, seq %d",
			slot, se.confirmed, se.sent, s.seq)
	}
	mayLose := se.ws != 0 || se.has(awaiting|answerOut)
	if se.sent != se.confirmed && !mayLose {
		return fmt.Errorf("session %d: %d..%d is out with nobody", slot, se.confirmed, se.sent)
	}
	if se.has(answerOut) && (se.ws != 0 || se.has(pollOpen)) {
		return fmt.Errorf("session %d: an answer is out beside a carrier", slot)
	}
	if se.has(kept) && se.has(inWS|inAjax|entry|crowded|pollOpen) {
		return fmt.Errorf("session %d: kept and here, %b", slot, se.flags)
	}
	if !se.has(kept) && !se.has(inWS|inAjax|entry) {
		return fmt.Errorf("session %d: neither here nor kept", slot)
	}
	c := s.crowds[SessionID(s.sessions.id(slot))]
	if (c != nil) != se.has(crowded) || (c != nil && c.await != 0) != se.has(awaiting) {
		return fmt.Errorf("session %d: crowd %+v, flags %b", slot, c, se.flags)
	}
	return nil
}

func (s *Shard) checkLogs(cursors map[*log]uint32) error {
	free := map[uint32]bool{0: true}
	for _, slot := range s.freeLogs {
		free[slot] = true
	}
	entries, bytes := 0, 0
	for slot, l := range s.logs {
		if free[uint32(slot)] {
			continue
		}
		sum, last, size := l.behind, uint64(0), 0
		for i := range l.n {
			e := l.get(i)
			sum += e.here
			if e.Seq <= last || e.tomb() != (i < l.tombs) || e.holds < 1 {
				return fmt.Errorf("log %d: entry %d of %d is %+v", slot, i, l.n, *e)
			}
			last = e.Seq
			if !e.tomb() {
				entries++
				size += int(e.size)
			}
		}
		if last != l.last {
			return fmt.Errorf("log %d ends at %d, says %d", slot, last, l.last)
		}
		if sum != cursors[l] {
			return fmt.Errorf("log %d counts %d cursors, has %d", slot, sum, cursors[l])
		}
		if l.n > 0 && l.behind == 0 || l.n == 0 && l.open == 0 || size != l.bytes {
			return fmt.Errorf("log %d should be trimmed: %+v", slot, *l)
		}
		bytes += size
	}
	if entries != s.counts.Entries || bytes != s.counts.LogBytes {
		return fmt.Errorf("%d entries of %d bytes, counted %+v", entries, bytes, s.counts)
	}
	n := 0
	for e := s.oldest; e != nil; e = e.newer {
		if e.newer != nil && e.newer.Seq <= e.Seq || e.newer == nil && e != s.newest {
			return fmt.Errorf("the order of all entries is broken at %d", e.Seq)
		}
		n++
	}
	if n != entries {
		return fmt.Errorf("%d entries in order, %d in logs", n, entries)
	}
	return nil
}

// TombsMax and WalkVisits are the limits of the same names.
const (
	TombsMax    = tombsMax
	WalkVisits  = walkVisits
	AdvanceMax  = advanceMax
	BigTopic    = bigTopic
	WalkStretch = walkStretch
	MemoTopics  = memoTopics

	AdvanceMembers = advanceMembers
)

// Table is the slab with its index, over a value that is only a number.
type Table struct{ t table[numbered, *numbered] }

type numbered struct {
	node
	number uint32
}

// Add stores number under hash and returns its id.
func (t *Table) Add(hash, number uint32) uint64 {
	slot, v := t.t.add(hash)
	v.number = number
	return t.t.id(slot)
}

// Get returns the number that id names.
func (t *Table) Get(id uint64) (uint32, bool) {
	_, v := t.t.get(id)
	if v == nil {
		return 0, false
	}
	return v.number, true
}

// Find returns the id of number under hash, 0 if it is not there, and how many
// values were looked at.
func (t *Table) Find(hash, number uint32) (id uint64, looks int) {
	for slot := t.t.first(hash); slot != 0; slot = t.t.at(slot).link {
		looks++
		if v := t.t.at(slot); v.hash == hash && v.number == number {
			return t.t.id(slot), looks
		}
	}
	return 0, looks
}

// Remove takes out what id names.
func (t *Table) Remove(id uint64) { t.t.remove(uint32(id)) }

// Len is the number of values.
func (t *Table) Len() int { return t.t.live }
