package engine

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/chskd/chskd/arena"
)

// A client's callback waits for a backend's reply. The backend names it by a token,
// "k<loop>.<slot>.<secret>", whose secret is 64 random bits: it cannot be guessed, so
// that a backend answers only what it was asked.

// callback is one reply that is waited for: of a WebSocket, or of a parked POST.
type callback struct {
	secret uint64    // 0 = free
	ref    connRef   // ws conn
	post   uint64    // longpoll post slot at this loop when the client came by Ajax
	cb     arena.Ref // ws: the callback value, echoed as it came
	opened uint32
	next   uint32 // in the conn's list, or in the free list
	prev   uint32
}

// callbackTable holds the callbacks of a loop. Entry 0 is not used.
//
// Owner: loop.
type callbackTable struct {
	entries []callback
	free    uint32
}

func (t *callbackTable) take() uint32 {
	if n := t.free; n != 0 {
		t.free = t.entries[n].next
		t.entries[n].next = 0
		return n
	}
	if len(t.entries) == 0 {
		t.entries = append(t.entries, callback{})
	}
	t.entries = append(t.entries, callback{})
	return uint32(len(t.entries) - 1)
}

// open makes an entry for a WebSocket conn c, at the head of its list.
func (t *callbackTable) open(c *conn, ref connRef, secret uint64, cb arena.Ref, now uint32) uint32 {
	n := t.take()
	t.entries[n] = callback{secret: secret, ref: ref, cb: cb, opened: now, next: c.callbacks}
	if c.callbacks != 0 {
		t.entries[c.callbacks].prev = n
	}
	c.callbacks = n
	c.nCallbacks++
	return n
}

// openPost makes an entry for a parked POST.
func (t *callbackTable) openPost(post, secret uint64, now uint32) uint32 {
	n := t.take()
	t.entries[n] = callback{secret: secret, post: post, opened: now}
	return n
}

// find returns the entry that waits under slot and secret, or nil.
func (t *callbackTable) find(slot uint32, secret uint64) *callback {
	if slot == 0 || int(slot) >= len(t.entries) || secret == 0 || t.entries[slot].secret != secret {
		return nil
	}
	return &t.entries[slot]
}

// drop frees entry n; c is its conn, nil for a POST.
func (t *callbackTable) drop(ids *arena.Arena, c *conn, n uint32) {
	e := &t.entries[n]
	ids.Free(e.cb)
	if c != nil {
		if e.prev != 0 {
			t.entries[e.prev].next = e.next
		} else {
			c.callbacks = e.next
		}
		if e.next != 0 {
			t.entries[e.next].prev = e.prev
		}
		c.nCallbacks--
	}
	*e = callback{next: t.free}
	t.free = n
}

// dropAll frees all entries of a conn that is gone.
func (t *callbackTable) dropAll(ids *arena.Arena, c *conn) {
	for c.callbacks != 0 {
		t.drop(ids, c, c.callbacks)
	}
}

// secret draws 64 random bits, never 0.
func (l *loop) secret() uint64 {
	for {
		if s := l.rng.Uint64(); s != 0 {
			return s
		}
	}
}

// appendToken writes the reply_to of a callback.
func appendToken(dst []byte, loop int, slot uint32, secret uint64) []byte {
	dst = append(dst, 'k')
	dst = strconv.AppendInt(dst, int64(loop), 36)
	dst = append(dst, '.')
	dst = strconv.AppendUint(dst, uint64(slot), 36)
	dst = append(dst, '.')
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], secret)
	return hex.AppendEncode(dst, b[:])
}

// parseToken reads a reply_to; ok is false for anything that appendToken does not
// write.
func parseToken(s string) (loop int, slot uint32, secret uint64, ok bool) {
	s, isToken := strings.CutPrefix(s, "k")
	a, rest, _ := strings.Cut(s, ".")
	b, c, _ := strings.Cut(rest, ".")
	if !isToken || len(c) != 16 {
		return 0, 0, 0, false
	}
	lo, err1 := strconv.ParseUint(a, 36, 8)
	sl, err2 := strconv.ParseUint(b, 36, 32)
	var digits [16]byte
	copy(digits[:], c)
	var se [8]byte
	_, err3 := hex.Decode(se[:], digits[:]) // a third of ParseUint
	if err1 != nil || err2 != nil || err3 != nil {
		return 0, 0, 0, false
	}
	return int(lo), uint32(sl), binary.BigEndian.Uint64(se[:]), true
}
