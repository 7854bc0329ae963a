package shard

import (
	"hash/maphash"

	"github.com/chskd/chskd/arena"
)

// Keys: of the entries of one key in one log only the newest counts. A newer one
// takes the older out of the ring, be it live or a tomb, so that nobody gets it
// any more and nobody is told that it is missing.

// keyed says which entry of a log has a key: 32 bytes, no pointers. It exists as
// long as that entry or its tomb is in the log.
type keyed struct {
	node
	log  uint32 // slot
	seq  uint64
	name arena.Ref
}

func (s *Shard) keyHash(log uint32, name []byte) uint32 {
	h := maphash.Bytes(s.seed, name) ^ uint64(log)*0x9e3779b97f4a7c15
	return uint32(h ^ h>>32)
}

// supersede takes the entry that has the key out of the log, if there is one,
// and returns the slot of the key, which is to name the entry that comes now.
func (s *Shard) supersede(l *log, name []byte) uint32 {
	hash := s.keyHash(l.slot, name)
	for slot := s.keys.first(hash); slot != 0; slot = s.keys.at(slot).link {
		k := s.keys.at(slot)
		if k.hash != hash || k.log != l.slot || !s.ids.Equal(k.name, name) {
			continue
		}
		old := l.remove(l.after(k.seq - 1))
		old.key = 0
		s.discard(old)
		s.counts.Superseded++
		return slot
	}
	slot, k := s.keys.add(hash)
	k.log, k.name = l.slot, s.ids.Put(name)
	return slot
}

// forgetKey lets the key of an entry go with it.
func (s *Shard) forgetKey(e *Entry) {
	s.ids.Free(s.keys.at(e.key).name)
	s.keys.remove(e.key)
	e.key = 0
}
