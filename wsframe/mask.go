package wsframe

import (
	"encoding/binary"
	"math/bits"

	"github.com/gobwas/ws"
)

// maskWordsMax is where Mask changes kernels: up to here eight-byte words win, above it the vector
// instructions of gobwas/ws make up for the call (BenchmarkMask).
const maskWordsMax = 128

// Mask XORs b in place with key (RFC 6455 §5.3); doing it twice gives b back. pos is the offset of
// b[0] in the frame's payload, so that a payload may be unmasked in pieces as it arrives; only its
// lowest two bits matter.
func Mask(b []byte, key [4]byte, pos int) {
	if len(b) > maskWordsMax {
		ws.Cipher(b, key, pos&3)
		return
	}
	// Turned so that its lowest byte meets b[0]; the words below keep that phase, being 8 or 4 long.
	k := bits.RotateLeft32(binary.LittleEndian.Uint32(key[:]), -8*(pos&3))
	k64 := uint64(k)<<32 | uint64(k)
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^k64)
		b = b[8:]
	}
	if len(b) >= 4 {
		binary.LittleEndian.PutUint32(b, binary.LittleEndian.Uint32(b)^k)
		b = b[4:]
	}
	for i := range b {
		b[i] ^= byte(k)
		k >>= 8
	}
}
