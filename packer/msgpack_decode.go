package packer

// msgpackDecoder reads b from i on. It lives on the stack of one call.
type msgpackDecoder struct {
	b     []byte
	i     int
	depth int
	refs  bool // a cached key was met
	hasher
	keys keyStack

	out encoder
}

func (d *msgpackDecoder) only(s *slots) (start, end int, k kind, f fault) {
	return 0, 0, 0, faultSyntax
}

// next wants at least one more byte.
func (d *msgpackDecoder) next() fault { return faultEnd }

func (d *msgpackDecoder) value(s *slots) (kind, fault) { return 0, faultKind }

func msgpackEventID(value []byte, k kind) (id []byte, ok bool) { return nil, false }

func msgpackText(dst, value []byte) ([]byte, fault) { return nil, faultSyntax }
