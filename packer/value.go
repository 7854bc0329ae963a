package packer

// Limits of what the decoders take. Beyond them a text is refused, never read in part.
const (
	// DepthMax is how deep collections, tags, metadata and discards may nest. The JVM's reader
	// overflows its stack between 800 and 1,000 on a default thread, so that a value within the
	// limit is readable by the other side also inside the envelope.
	DepthMax = 512
	// NumberMax is the length in bytes of one number. Readers on the other side take time that
	// grows with the square of it; RSA moduli of 8192 bits still fit.
	NumberMax = 4096
)

// kind is what a decoder has just read.
type kind uint8

const (
	kindNil kind = iota
	kindFalse
	kindTrue
	kindNumber
	kindString
	kindChar
	kindKeyword
	kindSymbol
	kindInstant // #inst and #uuid: can carry no metadata
	kindTagged  // any other tag, whatever is behind it
	kindList
	kindVector
	kindSet
	kindMap
)

// sequential tells what a client's message may be destructured from.
func (k kind) sequential() bool { return k == kindList || k == kindVector }

// slots are the first two elements of a sequence as spans of the text, and how many there are.
type slots struct {
	kind       kind // kindList or kindVector
	count      int
	start, end [2]int
	kinds      [2]kind
	inner      *slots // where the elements of element 0 go, if that is a sequence; may be nil
}

// span is element i as it stands in b; nil when the sequence is shorter.
func (s *slots) span(b []byte, i int) []byte {
	if s.count <= i {
		return nil
	}
	return b[s.start[i]:s.end[i]:s.end[i]]
}

// note keeps element s.count, read from start to end, and counts it.
func (s *slots) note(k kind, start, end int) {
	if s.count < len(s.kinds) {
		s.kinds[s.count], s.start[s.count], s.end[s.count] = k, start, end
	}
	s.count++
}
