package engine

import (
	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/shard"
	"github.com/chskd/chskd/wsframe"
)

// A sealed batch is what all sessions of one packer get of one run, written once. It has
// room for a frame header in front, so that the same buffer serves WebSocket conns (header
// and payload in one write) and polls (payload only):
//
//	[unused][frame header][payload]
//	0       start(b)      frameRoom
//
// The events in it are fragments, written once per entry and format: packers with gzip
// share those of their format, and their batch is the plain one in the wrapper.

// frameRoom is the length of the longest header of a server's frame.
const frameRoom = 10

// sealed is the batch of a delivery in its packer, made when it is needed first. The run
// keeps it for the sessions that follow.
func (l *loop) sealed(d *shard.Delivery) *bufpool.Buf {
	p := packer.Packer(d.Packer)
	if d.Run == nil {
		l.m.Gaps.Add(1)
		return l.sealGap(p, d.Missed)
	}
	if b, ok := d.Run.Sealed[p].(*bufpool.Buf); ok {
		return b
	}
	b := l.seal(p, d.Run)
	d.Run.Sealed[p] = b
	return b
}

// sealGap is the batch that tells of a gap.
func (l *loop) sealGap(p packer.Packer, missed uint64) *bufpool.Buf {
	f := p.Format()
	b := beginBatch(64)
	b.B = f.AppendBatchEnd(f.AppendGap(f.AppendBatchStart(b.B, 1), missed))
	if p.Gzip() {
		plain := b
		b = l.sealWrapped(plain.B[frameRoom:])
		plain.Release()
		return b
	}
	return endBatch(p, b)
}

// seal writes the batch of a run.
func (l *loop) seal(p packer.Packer, run *shard.Run) *bufpool.Buf {
	f := p.Format()
	if !p.Gzip() {
		b := beginBatch(sizeOf(run))
		b.B = appendBatch(b.B, f, run)
		return endBatch(p, b)
	}
	if plain, ok := run.Sealed[f.Packer()].(*bufpool.Buf); ok {
		return l.sealWrapped(plain.B[frameRoom:])
	}
	l.plain = appendBatch(l.plain[:0], f, run)
	b := l.sealWrapped(l.plain)
	if cap(l.plain) > keepScratch {
		l.plain = nil
	}
	return b
}

// sealWrapped seals a batch in the gzip wrapper; all packers with it are alike here.
func (l *loop) sealWrapped(plain []byte) *bufpool.Buf {
	b := beginBatch(len(plain) + 1)
	b.B = l.gzip.Pack(b.B, plain)
	return endBatch(packer.EDN.Gzip(), b)
}

// sizeOf is about how long the batch of a run is.
func sizeOf(run *shard.Run) int {
	n := 16
	for _, e := range run.Entries {
		n += e.Payload.Len() + 2
	}
	return n
}

// appendBatch appends the batch of a run in format f. In place of events that f cannot
// express stands the notice of a gap, one for all that adjoin.
func appendBatch(dst []byte, f packer.Format, run *shard.Run) []byte {
	dst = f.AppendBatchStart(dst, countItems(f, run))
	missed, first := uint64(0), true
	for i, e := range run.Entries {
		fragment, ok := e.Payload.(*payload).fragment(f)
		if !ok {
			missed++
			if i+1 < len(run.Entries) {
				continue
			}
		}
		if missed > 0 {
			dst = appendItem(dst, f, &first)
			dst = f.AppendGap(dst, missed)
			missed = 0
		}
		if ok {
			dst = appendItem(dst, f, &first)
			dst = append(dst, fragment...)
		}
	}
	return f.AppendBatchEnd(dst)
}

// appendItem appends what stands before an item of a batch.
func appendItem(dst []byte, f packer.Format, first *bool) []byte {
	if *first {
		*first = false
		return dst
	}
	return f.AppendBatchNext(dst)
}

// countItems is how many items the batch of a run has in format f: its header says so in
// msgpack. The fragments that it makes are kept for appendBatch.
func countItems(f packer.Format, run *shard.Run) (n int) {
	gap := false
	for _, e := range run.Entries {
		_, ok := e.Payload.(*payload).fragment(f)
		if ok || !gap {
			n++
		}
		gap = !ok
	}
	return n
}

// beginBatch lends a buffer for a batch of about size bytes.
func beginBatch(size int) *bufpool.Buf {
	b := bufpool.Get(frameRoom + size)
	b.B = b.B[:frameRoom]
	return b
}

// endBatch puts the frame header in front of a batch.
func endBatch(p packer.Packer, b *bufpool.Buf) *bufpool.Buf {
	n := len(b.B) - frameRoom
	var head [frameRoom]byte
	h := wsframe.AppendHeader(head[:0], opcode(p), n)
	copy(b.B[frameRoom-len(h):], h)
	return b.Seal()
}

// frameOf is the part of a sealed batch that goes over a WebSocket.
func frameOf(b *bufpool.Buf) []byte {
	n := len(b.B) - frameRoom
	switch {
	case n <= 125:
		return b.B[frameRoom-2:]
	case n <= 0xffff:
		return b.B[frameRoom-4:]
	}
	return b.B
}
