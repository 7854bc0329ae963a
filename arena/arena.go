package arena

import (
	"bytes"
	"encoding/binary"
)

const (
	chunkBits = 18 // 256 KiB a chunk
	chunkLen  = 1 << chunkBits
	unit      = 4 // cells are aligned to this, so that a uint32 Ref spans 16 GiB
	headLen   = 2
	linkLen   = 4       // of a free cell
	isUUID    = 1 << 15 // in a head: the content is a packed UUID

	// MaxLen is the longest string that an Arena stores, in bytes.
	MaxLen = 4096
	sizes  = (MaxLen+headLen+unit-1)/unit + 1
)

// Ref names a string of an Arena. The zero Ref is the empty string.
type Ref uint32

// Arena holds byte strings. The zero value is ready for use.
//
// Owner: loop.
type Arena struct {
	chunks []*[chunkLen]byte
	next   uint32 // first unused unit; 0 is never handed out, it is the empty string
	free   [sizes]Ref
	used   int
}

func cellUnits(n int) int { return (max(n, linkLen) + headLen + unit - 1) / unit }

// Put copies b into the arena and returns its Ref. A string longer than MaxLen
// is a mistake of the caller, who must have checked its limits: Put panics.
func (a *Arena) Put(b []byte) Ref {
	if len(b) == 0 {
		return 0
	}
	if packed, ok := PackUUID(b); ok {
		return a.put(packed[:], isUUID|PackedLen)
	}
	if len(b) > MaxLen {
		panic("arena: string longer than MaxLen")
	}
	return a.put(b, uint16(len(b)))
}

// put copies b into a cell with the given head.
func (a *Arena) put(b []byte, head uint16) Ref {
	u := cellUnits(len(b))
	r := a.free[u]
	if r != 0 {
		cell := a.cell(r)
		a.free[u] = Ref(binary.LittleEndian.Uint32(cell[headLen:]))
	} else {
		r = a.carve(u)
	}
	cell := a.cell(r)
	binary.LittleEndian.PutUint16(cell, head)
	copy(cell[headLen:], b)
	a.used += u * unit
	return r
}

// carve takes u fresh units; a cell never crosses a chunk's end.
func (a *Arena) carve(u int) Ref {
	const perChunk = chunkLen / unit
	if a.next == 0 {
		a.next = 1
		a.chunks = append(a.chunks, new([chunkLen]byte))
	}
	if int(a.next%perChunk)+u > perChunk || a.next == uint32(len(a.chunks))*perChunk {
		a.next = uint32(len(a.chunks)) * perChunk
		a.chunks = append(a.chunks, new([chunkLen]byte))
	}
	r := Ref(a.next)
	a.next += uint32(u)
	return r
}

func (a *Arena) cell(r Ref) []byte {
	at := uint64(r) * unit
	return a.chunks[at>>chunkBits][at&(chunkLen-1):]
}

// content is what the cell of r holds, and whether that is a packed UUID.
func (a *Arena) content(r Ref) (b []byte, packed bool) {
	cell := a.cell(r)
	head := binary.LittleEndian.Uint16(cell)
	n := int(head &^ isUUID)
	return cell[headLen : headLen+n : headLen+n], head&isUUID != 0
}

// Append appends the string of r to dst.
func (a *Arena) Append(dst []byte, r Ref) []byte {
	if r == 0 {
		return dst
	}
	b, packed := a.content(r)
	if packed {
		return AppendUUID(dst, b)
	}
	return append(dst, b...)
}

// Equal says whether s is the string of r.
func (a *Arena) Equal(r Ref, s []byte) bool {
	if r == 0 {
		return len(s) == 0
	}
	b, packed := a.content(r)
	if !packed {
		return bytes.Equal(b, s)
	}
	p, ok := PackUUID(s)
	return ok && bytes.Equal(b, p[:])
}

// Free gives the cell of r back. Using r afterwards reads somebody else's
// bytes.
func (a *Arena) Free(r Ref) {
	if r == 0 {
		return
	}
	b, _ := a.content(r)
	cell, u := a.cell(r), cellUnits(len(b))
	binary.LittleEndian.PutUint32(cell[headLen:], uint32(a.free[u]))
	a.free[u] = r
	a.used -= u * unit
}

// Bytes is the size of all live cells, in bytes.
func (a *Arena) Bytes() int { return a.used }
