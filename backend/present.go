package backend

import "slices"

// present is the set of users that are online, kept only while a consumer follows presence (some
// 100 bytes a user). A user has one position while it stays; when it left, while a snapshot has to
// tell so; and the same again when it comes back in that time.
//
// The set begins empty and is filled from the engine's pages while changes already come in. A page
// may be older than a change that came before it: whoever changed since the start is known by the
// change, and pages say nothing new about it. Owner: the hub's mutex.
type present struct {
	index  map[string]uint32
	users  []*[usersChunk]presentUser // by position
	online bits
	slots  int // users are mapped to so many
	spare  []uint32
	used   uint32 // positions ever given
	filled bool   // all pages are in

	left map[string]struct{} // users that left while the pages came in

	dead    []uint32 // positions of users that left, which may have been pinned then
	dying   bits     // those in dead
	sweepAt int      // so many of them are looked through
}

type presentUser struct {
	key  string
	slot uint16
}

const (
	usersChunk = 4096
	sweepMin   = 1024
)

func newPresent(slots int) *present {
	return &present{
		slots: slots, index: map[string]uint32{}, left: map[string]struct{}{}, sweepAt: sweepMin,
	}
}

// set takes a change. pos is where the user is or was; changed is false when nothing is new.
func (p *present) set(key []byte, open bool) (pos uint32, changed bool) {
	if !p.filled {
		if open {
			delete(p.left, string(key))
		} else {
			p.left[string(key)] = struct{}{}
		}
	}
	pos, there := p.index[string(key)]
	if open == (there && p.online.get(pos)) {
		return pos, false
	}
	if !there {
		return p.add(string(key)), true
	}
	p.online.set(pos, open)
	return pos, true
}

// load takes a user from a page.
func (p *present) load(key []byte) (pos uint32, changed bool) {
	if _, left := p.left[string(key)]; left {
		return 0, false
	}
	if _, there := p.index[string(key)]; there {
		return 0, false
	}
	return p.add(string(key)), true
}

func (p *present) add(key string) (pos uint32) {
	if n := len(p.spare); n > 0 {
		pos = p.spare[n-1]
		p.spare = p.spare[:n-1]
	} else {
		pos = p.used
		if pos%usersChunk == 0 {
			p.users = append(p.users, new([usersChunk]presentUser))
		}
		p.used++
	}
	*p.at(pos) = presentUser{key: key, slot: slotOfKey(p.slots, key)}
	p.online.set(pos, true)
	p.index[key] = pos
	return pos
}

func (p *present) at(pos uint32) *presentUser { return &p.users[pos/usersChunk][pos%usersChunk] }

// entry tells a snapshot's reader of a user.
func (p *present) entry(open bool, pos uint32) entry {
	e := presenceEntry(open, p.at(pos).key)
	e.loose = true
	return e
}

// retire takes the position of a user that left. It is given to another when no snapshot has to
// tell of this one any more.
func (p *present) retire(pos uint32, watchers []*consumer) {
	if !held(pinned(pos, watchers)) {
		if !p.dying.get(pos) {
			p.release(pos)
		}
		return
	}
	if p.dying.get(pos) {
		return
	}
	p.dying.set(pos, true)
	p.dead = append(p.dead, pos)
	if len(p.dead) >= p.sweepAt {
		p.sweep(watchers)
	}
}

// sweep releases the dead positions that no snapshot has to tell of any more.
func (p *present) sweep(watchers []*consumer) {
	p.dead = slices.DeleteFunc(p.dead, func(pos uint32) bool {
		back := p.online.get(pos)
		if !back && held(pinned(pos, watchers)) {
			return false
		}
		p.dying.set(pos, false)
		if !back {
			p.release(pos)
		}
		return true
	})
	p.sweepAt = max(sweepMin, 2*len(p.dead))
}

func (p *present) release(pos uint32) {
	u := p.at(pos)
	delete(p.index, u.key)
	*u = presentUser{}
	p.spare = append(p.spare, pos)
}

func pinned(pos uint32, watchers []*consumer) bool {
	for _, c := range watchers {
		if c.snap != nil && c.snap.pins(pos) {
			return true
		}
	}
	return false
}

// appendKey writes a user as a key: nil mark, length of the tenant, tenant, uid.
func appendKey(dst, tenant, uid []byte, nilUID bool) []byte {
	mark := byte(1) // never empty, never 0
	if nilUID {
		mark, uid = 2, nil
	}
	dst = append(dst, mark, byte(len(tenant)), byte(len(tenant)>>8))
	return append(append(dst, tenant...), uid...)
}

func splitKey(key string) (tenant, uid string, nilUID bool) {
	n := 3 + (int(key[1]) | int(key[2])<<8)
	return key[3:n], key[n:], key[0] == 2
}

func slotOfKey(n int, key string) uint16 {
	tenant, uid, nilUID := splitKey(key)
	return slotOf(n, []byte(tenant), []byte(uid), nilUID, nil)
}
