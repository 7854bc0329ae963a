package packer

import "encoding/base64"

// hasher computes the hash of the value that a decoder reads, where equal keys must be found:
// inside map keys and set elements. Decoders embed it, set hashing around a key, and call one method
// a leaf; collections mix the hashes of what is in them, as ednDecoder's do.
type hasher struct {
	hashing bool
	seed    int    // 0, and 1 when a match is confirmed
	hash    uint64 // of the value just read
}

func (h *hasher) hashWord(k kind) {
	if h.hashing {
		h.hash = mix(hashBytes(h.seed, saltWord, nil), uint64(k))
	}
}

func (h *hasher) hashNumber(n *number) {
	if h.hashing {
		h.hash = n.hash(h.seed)
	}
}

// hashSymbolic: infinities equal the floats out of range; NaN equals nothing, so every place where
// one stands has a hash of its own.
func (h *hasher) hashSymbolic(s symbolicValue, place int) {
	switch {
	case !h.hashing:
	case s == notANumber:
		h.hash = mix(hashBytes(h.seed, saltWord, []byte("NaN")), uint64(place))
	default:
		h.hash = hashInfinity(h.seed, s == minusInf)
	}
}

func (h *hasher) hashText(text []byte) {
	if h.hashing {
		h.hash = hashBytes(h.seed, saltString, text)
	}
}

// hashBinary: a byte string is the text that it becomes in edn, its base64.
func (h *hasher) hashBinary(b []byte) {
	if h.hashing {
		var buf [128]byte
		h.hashText(base64.StdEncoding.AppendEncode(buf[:0], b))
	}
}

func (h *hasher) hashName(k kind, ns, name []byte) {
	if !h.hashing {
		return
	}
	salt := saltKeyword
	if k == kindSymbol {
		salt = saltSymbol
	}
	h.hash = hashBytes(h.seed, salt, name)
	if ns != nil {
		h.hash = mix(h.hash, hashBytes(h.seed, salt, ns))
	}
}

func (h *hasher) hashChar(r rune) {
	if h.hashing {
		h.hash = mix(hashBytes(h.seed, saltChar, nil), uint64(r))
	}
}

func (h *hasher) hashInst(ms int64) {
	if h.hashing {
		h.hash = mix(hashBytes(h.seed, saltInst, nil), uint64(ms))
	}
}

func (h *hasher) hashUUID(id *[16]byte) {
	if h.hashing {
		h.hash = hashBytes(h.seed, saltUUID, id[:])
	}
}

// hashTagged makes the hash of a tagged value of that of what it tags. It is the hash of the map
// {"#tag" value}: formats without such a tag write that.
func (h *hasher) hashTagged(tag []byte) {
	if h.hashing {
		value := h.hash
		h.hashPrefixed('#', tag)
		h.hash = saltMap + mix(h.hash, value)
	}
}
