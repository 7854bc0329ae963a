package wsframe

import (
	"encoding/binary"
	"math/bits"

	"github.com/gobwas/ws"
)

// maskWordsMax is where Mask changes kernels: up to here eight-byte words win, above it the vector
// instructions of gobwas/ws make up for the call (BenchmarkMask).
const maskWordsMax = 256

// Mask XORs b in place with key (RFC 6455 §5.3); doing it twice gives b back. pos is the offset of
// b[0] in the frame's payload, so that a payload may be unmasked in pieces as it arrives; only its
// lowest two bits matter.
func Mask(b []byte, key [4]byte, pos int) {
	if len(b) > maskWordsMax {
		ws.Cipher(b, key, pos&3)
		return
	}
	// Turned so that its lowest byte meets b[0]; words of 8 bytes keep that phase.
	k := bits.RotateLeft32(binary.LittleEndian.Uint32(key[:]), -8*(pos&3))
	if len(b) < 8 {
		for i := range b {
			b[i] ^= byte(k >> (8 * (i & 3)))
		}
		return
	}
	k64 := uint64(k)<<32 | uint64(k)
	// The last word overlaps the one before it, so it is computed before and stored after that one:
	// no byte is XORed twice, and there is no loop over the rest.
	last := b[len(b)-8:]
	lastWord := binary.LittleEndian.Uint64(last) ^ bits.RotateLeft64(k64, -8*(len(b)&3))
	for len(b) > 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^k64)
		b = b[8:]
	}
	binary.LittleEndian.PutUint64(last, lastWord)
}
