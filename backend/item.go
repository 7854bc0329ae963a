package backend

import (
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/chskd/chskd/packer"
)

// kind is what a line of a stream tells. Only the first two have an item.
type kind uint8

const (
	kindEvent kind = iota
	kindBadEvent
	kindOpen
	kindClose
	kindGap
	kindLive
	kindResync
)

// item is a client's event. All groups that are told share it. Its bytes are written once, before it is queued; refs is the hub's (its mutex).
//
// Shape of buf: tenant, uid, client, reply token, event, one behind the other.
type item struct {
	kind   kind
	format packer.Format // of the event
	nilUID bool
	ajax   bool
	slot   uint16
	refs   int32
	at     int64 // Unix milliseconds

	idKnown bool
	id      []byte // of the event, a part of buf as a rule; see eventID

	buf                         []byte
	tenant, uid, client, answer int // where each part of buf ends
}

var items = sync.Pool{New: func() any { return new(item) }}

func newItem(k kind, tenant, uid []byte, nilUID bool) *item {
	it := items.Get().(*item)
	it.kind, it.nilUID, it.ajax, it.refs = k, nilUID, false, 0
	it.id, it.idKnown = nil, false
	it.buf = append(append(it.buf[:0], tenant...), uid...)
	it.tenant, it.uid = len(tenant), len(it.buf)
	it.client, it.answer = it.uid, it.uid
	return it
}

// event adds the parts that only an event has.
func (it *item) event(client []byte, ajax bool, f packer.Format, event, answer []byte,
	at time.Time,
) {
	it.ajax, it.format, it.at = ajax, f, at.UnixMilli()
	it.buf = append(it.buf, client...)
	it.client = len(it.buf)
	it.buf = append(it.buf, answer...)
	it.answer = len(it.buf)
	it.buf = append(it.buf, event...)
}

func (it *item) tenantID() []byte { return it.buf[:it.tenant] }
func (it *item) userID() []byte   { return it.buf[it.tenant:it.uid] }
func (it *item) clientID() []byte { return it.buf[it.uid:it.client] }
func (it *item) replyTo() []byte  { return it.buf[it.client:it.answer] }
func (it *item) value() []byte    { return it.buf[it.answer:] }

// badEventID is the id under which a filter knows what is not an event (Sente's own name).
var badEventID = []byte("chsk/bad-event")

// eventID is the event's id; nil = it cannot be told. It is looked for once.
func (it *item) eventID() []byte {
	if !it.idKnown {
		it.id, it.idKnown = badEventID, true
		if it.kind == kindEvent {
			it.id = eventID(it.format, it.value())
		}
	}
	return it.id
}

// size is what the item counts against a queue's bytes.
func (it *item) size() int { return len(it.buf) + itemOverhead }

// itemOverhead is about what an item and its place in a queue cost besides its bytes.
const itemOverhead = 160

// recycle gives the item back. Nobody may hold it any more.
func (it *item) recycle() {
	if it.refs != 0 {
		panic("backend: an item was recycled while a queue held it")
	}
	if cap(it.buf) > keepItemBuf {
		it.buf = nil
	}
	items.Put(it)
}

// slotOf maps a user to one of n slots. Users without uid are told apart by their client-id,
// as they have nothing else to be kept in order by.
func slotOf(n int, tenant, uid []byte, nilUID bool, client []byte) uint16 {
	var d xxhash.Digest
	d.Reset()
	mark := [2]byte{byte(len(tenant)), byte(len(tenant) >> 8)}
	put(&d, mark[:])
	put(&d, tenant)
	if nilUID {
		put(&d, client)
	} else {
		put(&d, uid)
	}
	return uint16(d.Sum64() % uint64(n))
}

func put(d *xxhash.Digest, b []byte) {
	if _, err := d.Write(b); err != nil {
		panic("backend: xxhash does not fail")
	}
}
