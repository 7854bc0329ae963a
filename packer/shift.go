package packer

// Headers that grow. Msgpack writes the length of a collection in front of it, and transit says in
// front of a map whether its keys are composite; both are known when it ends. So the shortest header
// is written first, and what follows it is moved when a longer one is needed. That is cheap for
// values of everyday, and quadratic for one that nests deep to spite us: beyond a bound the work is
// given up and the value written again with the widest headers, which are always right.

const (
	movedFree   = 64 << 10 // bytes that may be moved in any case
	movedFactor = 16       // and how many times the length written so far
)

// shift makes room for n bytes at dst[at:]. When it is given up there is room, with anything in it.
func (e *encoder) shift(at, n int) {
	end := len(e.dst)
	var room [16]byte
	e.dst = append(e.dst, room[:n]...)
	if e.moved+end-at > movedFree+movedFactor*end {
		e.bad = faultMoved
		return
	}
	e.moved += end - at
	copy(e.dst[at+n:], e.dst[at:end])
}
