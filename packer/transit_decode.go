package packer

// transitDecoder reads b from i on. It lives on the stack of one call.
type transitDecoder struct {
	jsonScanner
	depth int
	refs  bool // a cache code was met
	hasher
	keys keyStack

	out encoder
}

func (d *transitDecoder) only(s *slots) (start, end int, k kind, f fault) {
	return 0, 0, 0, faultSyntax
}

func transitEventID(value []byte, k kind, scratch *[]byte) (id []byte, ok bool) { return nil, false }

func transitText(dst, quoted []byte) ([]byte, fault) { return nil, faultSyntax }
