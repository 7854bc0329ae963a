package arena

import "encoding/binary"

const (
	chunkBits = 18 // 256 KiB a chunk
	chunkLen  = 1 << chunkBits
	unit      = 8 // cells are aligned to this, so that a uint32 Ref spans 32 GiB
	headLen   = 2

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

func cellUnits(n int) int { return (n + headLen + unit - 1) / unit }

// Put copies b into the arena and returns its Ref. A string longer than MaxLen
// is a mistake of the caller, who must have checked its limits: Put panics.
func (a *Arena) Put(b []byte) Ref {
	if len(b) == 0 {
		return 0
	}
	if len(b) > MaxLen {
		panic("arena: string longer than MaxLen")
	}
	u := cellUnits(len(b))
	r := a.free[u]
	if r != 0 {
		cell := a.cell(r)
		a.free[u] = Ref(binary.LittleEndian.Uint32(cell[headLen:]))
	} else {
		r = a.carve(u)
	}
	cell := a.cell(r)
	binary.LittleEndian.PutUint16(cell, uint16(len(b)))
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

// Get returns the string of r. The bytes are the arena's own: they must not be
// written, and are valid until Free(r).
func (a *Arena) Get(r Ref) []byte {
	if r == 0 {
		return nil
	}
	cell := a.cell(r)
	n := int(binary.LittleEndian.Uint16(cell))
	return cell[headLen : headLen+n : headLen+n]
}

// Free gives the cell of r back. Using r afterwards reads somebody else's
// bytes.
func (a *Arena) Free(r Ref) {
	if r == 0 {
		return
	}
	cell := a.cell(r)
	u := cellUnits(int(binary.LittleEndian.Uint16(cell)))
	binary.LittleEndian.PutUint32(cell[headLen:], uint32(a.free[u]))
	a.free[u] = r
	a.used -= u * unit
}

// Bytes is the size of all live cells, in bytes.
func (a *Arena) Bytes() int { return a.used }
