package shard

import (
	"hash/maphash"

	"github.com/chskd/chskd/arena"
)

// user is the user slab's value: 40 bytes, no pointers. What it counts of its
// sessions is a tally of its own only while it has two or more (tally.go).
type user struct {
	node
	tenant uint32
	uid    arena.Ref
	first  uint32 // head of the list of its sessions
	log    uint32 // 0 = none
	topics uint32 // in Shard.holdings, 0 = in none
	tally  uint32 // in Shard.tallies, 0 = none
	untold uint16 // presence events that nobody has taken yet
	nilUID bool
}

// tenant holds what the users of one tenant share. There are few.
type tenant struct {
	name      string
	users     int
	log       uint32 // broadcast log, 0 = none
	followers uint32 // as in a tally, of all its users
	reach     uint32
	ws, ajax  uint32
}

func (s *Shard) userHash(tenant uint32, uid []byte, nilUID bool) uint32 {
	h := uint64(tenant) * 0x9e3779b97f4a7c15
	if nilUID {
		h ^= 0xd6e8feb86659fd93
	} else {
		h ^= maphash.Bytes(s.seed, uid)
	}
	return uint32(h ^ h>>32)
}

// findUser returns the slot of a user, 0 if it has no session here.
func (s *Shard) findUser(tenant, uid []byte, nilUID bool) uint32 {
	t := s.tenantOf[string(tenant)]
	if t == 0 {
		return 0
	}
	return s.findIn(t, uid, nilUID)
}

func (s *Shard) findIn(tenant uint32, uid []byte, nilUID bool) uint32 {
	hash := s.userHash(tenant, uid, nilUID)
	slot := s.users.first(hash)
	for slot != 0 {
		u := s.users.at(slot)
		if u.hash == hash && u.tenant == tenant && u.nilUID == nilUID &&
			(nilUID || s.ids.Equal(u.uid, uid)) {
			return slot
		}
		slot = u.link
	}
	return 0
}

func (s *Shard) obtainUser(k *Key) uint32 {
	t := s.obtainTenant(k.Tenant)
	if slot := s.findIn(t, k.UID, k.NilUID); slot != 0 {
		return slot
	}
	slot, u := s.users.add(s.userHash(t, k.UID, k.NilUID))
	u.tenant, u.nilUID = t, k.NilUID
	if !k.NilUID {
		u.uid = s.ids.Put(k.UID)
	}
	s.tenants[t].users++
	return slot
}

func (s *Shard) obtainTenant(name []byte) uint32 {
	if t := s.tenantOf[string(name)]; t != 0 {
		return t
	}
	t := &tenant{name: string(name)}
	slot := uint32(len(s.tenants))
	if n := len(s.freeTenants); n > 0 {
		slot = s.freeTenants[n-1]
		s.freeTenants = s.freeTenants[:n-1]
		s.tenants[slot] = t
	} else {
		s.tenants = append(s.tenants, t)
	}
	s.tenantOf[t.name] = slot
	return slot
}

// forgetUser frees a user without sessions, once its last presence event is
// taken, and its tenant with it if it was the last.
func (s *Shard) forgetUser(slot uint32) {
	u := s.users.at(slot)
	if u.first != 0 || u.untold > 0 {
		return
	}
	if u.log != 0 {
		s.freeLog(s.logs[u.log])
	}
	s.ids.Free(u.uid)
	t := s.tenants[u.tenant]
	tenant := u.tenant
	s.users.remove(slot)
	t.users--
	if t.users > 0 {
		return
	}
	if t.log != 0 {
		s.freeLog(s.logs[t.log])
	}
	delete(s.tenantOf, t.name)
	s.tenants[tenant] = nil
	s.freeTenants = append(s.freeTenants, tenant)
}

// keyOf returns the tenant and uid of a user. The uid is valid until the next call.
func (s *Shard) keyOf(u *user) (tenant string, uid []byte) {
	return s.tenants[u.tenant].name, s.uidOf(u)
}

// uidOf returns the uid of a user, valid until the next call.
func (s *Shard) uidOf(u *user) []byte {
	if u.uid == 0 {
		return nil
	}
	s.uid = s.ids.Append(s.uid[:0], u.uid)
	return s.uid
}

// many users have too many sessions to visit them in one call: those without
// uid are all one user.
func (u *user) many() bool { return u.nilUID }
