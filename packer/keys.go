package packer

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// Duplicate keys. Both readers on the other side refuse a map or set with two equal keys, so we
// must see them too, in time linear in the text (a peer may send one map of 100,000 keys) and
// without allocating for the maps of everyday. Keys are compared by a 64-bit hash of their value
// with a seed that no peer knows; a match is confirmed with a second seed before anything is
// refused.

var (
	seeds   = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	secrets = [2][2]uint64{{secret(), secret()}, {secret(), secret()}}
)

// secret is a random word.
func secret() uint64 { return maphash.Bytes(maphash.MakeSeed(), nil) }

// Sizes of a keyStack.
const (
	keysInline = 32 // keys of all maps open at one time that need no allocation
	keysLinear = 32 // keys of one map that are compared one by one; more get an index
)

// keyStack holds the keys of the maps and sets that are being read, innermost last.
// Entry i is in the arrays while i < keysInline, else in more.
type keyStack struct {
	n    int
	hash [keysInline]uint64
	at   [keysInline]int32
	more []keyEntry
}

type keyEntry struct {
	hash uint64
	at   int32
}

// keySet is one open map's part of the stack: the entries from base up. Its owner is the decoder's
// stack frame for that map.
type keySet struct {
	base  int
	index map[uint64]int32 // nil until the set has more than keysLinear keys
}

// open starts the set of a map.
func (s *keyStack) open(set *keySet) { set.base = s.n }

// close forgets the keys of a map. The maps inside it were closed before.
func (s *keyStack) close(set *keySet) {
	s.n = set.base
	s.more = s.more[:max(0, s.n-keysInline)]
}

// add puts a key with this hash, found at byte at, into the set. When the set has that hash already
// it is not added, and earlier is where the first one stands.
//
// While all keys are in the arrays no set has more than keysLinear; addMore does the rest.
func (s *keyStack) add(set *keySet, hash uint64, at int) (earlier int, dup bool) {
	n := uint(s.n)
	if n >= keysInline || set.index != nil {
		return s.addMore(set, hash, at)
	}
	for i := uint(set.base); i < n; i++ {
		if s.hash[i] == hash {
			return int(s.at[i]), true
		}
	}
	s.hash[n], s.at[n] = hash, int32(at)
	s.n++
	return 0, false
}

func (s *keyStack) addMore(set *keySet, hash uint64, at int) (earlier int, dup bool) {
	if set.index != nil {
		if e, ok := set.index[hash]; ok {
			return int(e), true
		}
		set.index[hash] = int32(at)
		return 0, false
	}
	for i := set.base; i < s.n; i++ {
		if h, e := s.entry(i); h == hash {
			return int(e), true
		}
	}
	s.push(hash, int32(at))
	if s.n-set.base > keysLinear {
		s.reindex(set)
	}
	return 0, false
}

func (s *keyStack) entry(i int) (hash uint64, at int32) {
	if i < keysInline {
		return s.hash[i], s.at[i]
	}
	e := &s.more[i-keysInline]
	return e.hash, e.at
}

func (s *keyStack) push(hash uint64, at int32) {
	if s.n < keysInline {
		s.hash[s.n], s.at[s.n] = hash, at
	} else {
		if s.more == nil {
			s.more = make([]keyEntry, 0, keysInline)
		}
		s.more = append(s.more, keyEntry{hash, at})
	}
	s.n++
}

// reindex moves a set that has grown long from the stack into an index of its own.
func (s *keyStack) reindex(set *keySet) {
	set.index = make(map[uint64]int32, 4*keysLinear)
	for i := set.base; i < s.n; i++ {
		h, at := s.entry(i)
		set.index[h] = at
	}
	s.close(set)
}

// The hash of a value is built from hashBytes of its leaves. Equal values have equal hashes: a list
// and a vector of the same elements, 16 and 0x10, sets in any order.

// hashBytes hashes a leaf: salt tells kinds apart, seed is 0 or 1. Keys of everyday are short: up
// to 16 bytes are two words, which overlap or are padded, told apart by the length.
func hashBytes(seed int, salt uint64, b []byte) uint64 {
	n := len(b)
	var lo, hi uint64
	switch {
	case n > 16:
		return mix(maphash.Bytes(seeds[seed], b), salt)
	case n >= 8:
		lo, hi = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		lo, hi = uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[n-4:]))
	case n > 0:
		lo, hi = uint64(b[0])|uint64(b[n/2])<<8, uint64(b[n-1])
	}
	key := &secrets[seed]
	return mix(mix(lo^key[0], hi^key[1]), salt^uint64(n)<<8)
}

// mix makes one hash of two; the order of the two matters.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd1b54a32d192ed03^bits.RotateLeft64(a, 23))
	return hi ^ lo
}

// Salts of hashBytes and mix: one for each kind of value that differs from all others.
const (
	saltWord uint64 = iota + 1 // nil, true, false, infinities
	saltInteger
	saltFloat
	saltDecimal
	saltRatio
	saltString
	saltChar
	saltKeyword
	saltSymbol
	saltInst
	saltUUID
	saltSequence
	saltSet
	saltMap
)
