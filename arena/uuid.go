package arena

// Most ids are UUIDs in their canonical text, lower-case hex with dashes (RFC 9562 §4), as
// every stock client makes its client-id. 36 bytes of text say 16.

const (
	// UUIDLen is the length of a UUID's text.
	UUIDLen = 36
	// PackedLen is the length of what it says.
	PackedLen = 16
)

const digits = "0123456789abcdef"

// values are what digits say, and notDigit for all other bytes.
var values = func() (v [256]uint8) {
	for i := range v {
		v[i] = notDigit
	}
	for i := range digits {
		v[digits[i]] = uint8(i)
	}
	return v
}()

const notDigit = 0x80

// texts are the two digits of each byte.
var texts = func() (t [256][2]byte) {
	for i := range t {
		t[i] = [2]byte{digits[i>>4], digits[i&15]}
	}
	return t
}()

// PackUUID returns what text says; ok is false if it is no canonical UUID.
func PackUUID(text []byte) (packed [PackedLen]byte, ok bool) {
	if len(text) != UUIDLen ||
		text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return packed, false
	}
	t := (*[UUIDLen]byte)(text)
	wrong := pack(packed[0:4], t[0:8]) | pack(packed[4:6], t[9:13]) | pack(packed[6:8], t[14:18]) |
		pack(packed[8:10], t[19:23]) | pack(packed[10:16], t[24:36])
	return packed, wrong&notDigit == 0
}

// pack writes what the digits of text say, and returns notDigit if one is none.
func pack(dst, text []byte) (wrong uint8) {
	for i := range dst {
		high, low := values[text[0]], values[text[1]]
		wrong |= high | low
		dst[i] = high<<4 | low
		text = text[2:]
	}
	return wrong
}

// AppendUUID appends the text of the first PackedLen bytes of packed to dst.
func AppendUUID(dst, packed []byte) []byte {
	var t [UUIDLen]byte
	p := (*[PackedLen]byte)(packed)
	unpack(t[0:8], p[0:4])
	unpack(t[9:13], p[4:6])
	unpack(t[14:18], p[6:8])
	unpack(t[19:23], p[8:10])
	unpack(t[24:36], p[10:16])
	t[8], t[13], t[18], t[23] = '-', '-', '-', '-'
	return append(dst, t[:]...)
}

func unpack(dst, packed []byte) {
	for _, b := range packed {
		t := &texts[b]
		dst[0], dst[1] = t[0], t[1]
		dst = dst[2:]
	}
}
