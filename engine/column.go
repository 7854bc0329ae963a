package engine

// column is a value of T beside each slot of a table, in chunks that are made when one of
// their slots is first used: what nothing uses takes no memory. T has no pointers.
//
// Owner: loop.
type column[T any] struct {
	chunks []*[slabLen]T
}

// at is the value of a slot. It does not move.
func (k *column[T]) at(slot uint32) *T {
	i := int(slot / slabLen)
	for i >= len(k.chunks) {
		k.chunks = append(k.chunks, nil)
	}
	if k.chunks[i] == nil {
		k.chunks[i] = new([slabLen]T)
	}
	return &k.chunks[i][slot%slabLen]
}
