package packer

// ShiftWork tells how many bytes are moved while edn text is written in transit the first time, and
// whether that was given up.
func ShiftWork(text []byte) (moved int, givenUp bool) {
	d := ednDecoder{b: text, out: encoder{to: Transit}}
	if _, _, _, x := d.only(nil); x != fine {
		panic("packer: not edn")
	}
	return d.out.moved, d.out.bad == faultMoved
}

// Bounds of that work, for a text of n bytes written.
func ShiftMax(n int) int { return movedFree + movedFactor*n }
