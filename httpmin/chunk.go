package httpmin

// Limits of what a chunked body may carry besides data.
const (
	maxSizeDigits = 8    // hex digits of a chunk size, leading zeros included: no overflow
	maxExtra      = 4096 // bytes of chunk extensions and trailers of one body
)

// bodyState is where in the body the next byte stands (RFC 9112 §7.1):
//
//	chunkStart -> chunkSize ---------------> chunkSizeLF -> chunkData -> chunkDataCR
//	     ^             |                      ^      |                        |
//	     |             +-> sizeSpace          |      | size 0                 v
//	     |             +-------> chunkExt ----+      |                   chunkDataLF
//	     +----------------------------------------------------------------+
//	                                                v
//	     trailerLF ------------------------> trailerStart -> lastLF -> finished
//	         ^                                      |
//	         +---- trailerValue <-- trailerName <---+
type bodyState uint8

const (
	finished     bodyState = iota
	plain                  // by Content-Length
	tooLarge               // refused by Reset
	chunkStart             // first digit of a size
	chunkSize              // further digits, or what ends them
	sizeSpace              // white space behind the size: only an extension may follow
	chunkExt               // chunk extension, dropped
	chunkSizeLF            // LF of the size line
	chunkData              // left bytes of data
	chunkDataCR            // CR behind the data
	chunkDataLF            // its LF
	trailerStart           // a trailer field or the last CR
	trailerName            // field name up to the colon
	trailerValue           // field value up to CR
	trailerLF              // LF of a trailer field
	lastLF                 // LF of the last, empty line
)

// feedChunks is Feed for a chunked body: data in runs, all else byte by byte.
func (b *Body) feedChunks(dst, src []byte) (out []byte, n int, done bool, err error) {
	for n < len(src) {
		if b.state == chunkData {
			var k int
			dst, k = b.copyData(dst, src[n:])
			n += k
			if b.left == 0 {
				b.state = chunkDataCR
			}
			continue
		}
		if err := b.step(src[n]); err != nil {
			return dst, n, false, err
		}
		n++
		if b.state == finished {
			return dst, n, true, nil
		}
	}
	return dst, n, false, nil
}

// step takes the one byte c, which is not chunk data.
func (b *Body) step(c byte) error {
	switch b.state {
	case chunkStart, chunkSize, sizeSpace:
		return b.stepSize(c)
	case chunkExt:
		return b.stepText(c, chunkSizeLF, errChunkExt)
	case chunkSizeLF:
		return b.sizeDone(c)
	case chunkDataCR:
		return b.expect(c, '\r', chunkDataLF, errChunkEnd)
	case chunkDataLF:
		return b.expect(c, '\n', chunkStart, errChunkEnd)
	case trailerStart, trailerName:
		return b.stepTrailer(c)
	case trailerValue:
		return b.stepText(c, trailerLF, errTrailer)
	case trailerLF:
		return b.expect(c, '\n', trailerStart, errBareCR)
	case lastLF:
		return b.expect(c, '\n', finished, errBareCR)
	}
	panic("httpmin: a body state that takes no byte")
}

// expect goes to next if c is want.
func (b *Body) expect(c, want byte, next bodyState, err error) error {
	if c != want {
		return err
	}
	b.state = next
	return nil
}

// stepSize takes a byte of the size line before any extension. A size is hex
// digits alone: signs, "0x" and white space are read as a number by some.
func (b *Body) stepSize(c byte) error {
	switch {
	case classOf[c]&hexDigit != 0 && b.state != sizeSpace:
		if b.digits == maxSizeDigits {
			return errChunkSize
		}
		b.state = chunkSize
		b.digits++
		b.left = b.left<<4 | int64(hexValue(c))
		return nil
	case b.state == chunkStart:
		return errChunkSize
	case c == '\r' && b.state == chunkSize:
		b.state = chunkSizeLF
		return nil
	case c == ';':
		b.state = chunkExt
		return b.count()
	case c == ' ' || c == '\t':
		// Only as the "bad white space" before an extension (RFC 9112 §7.1.1).
		b.state = sizeSpace
		return b.count()
	}
	return errChunkSize
}

// sizeDone takes the LF of a size line. left is the size.
func (b *Body) sizeDone(c byte) error {
	switch {
	case c != '\n':
		return errBareCR
	case b.left > b.room:
		return errBodyLarge
	case b.left == 0:
		b.state = trailerStart
	default:
		b.state = chunkData
	}
	b.room -= b.left
	b.digits = 0
	return nil
}

// stepTrailer takes a byte of a trailer field up to its colon. Trailers are
// checked as field lines and dropped (RFC 9112 §7.1.2).
func (b *Body) stepTrailer(c byte) error {
	switch {
	case classOf[c]&token != 0:
		b.state = trailerName
	case c == '\r' && b.state == trailerStart:
		b.state = lastLF
		return nil
	case c == ':' && b.state == trailerName:
		b.state = trailerValue
	default:
		return errTrailer
	}
	return b.count()
}

// stepText takes a byte of text that runs up to a CR.
func (b *Body) stepText(c byte, next bodyState, err error) error {
	switch {
	case c == '\r':
		b.state = next
		return nil
	case c < 0x20 && c != '\t' || c == 0x7f:
		return err
	}
	return b.count()
}

// count counts one byte of extension or trailer.
func (b *Body) count() error {
	if b.extra == maxExtra {
		return errTrailerLarge
	}
	b.extra++
	return nil
}

// hexValue gives the value of a hex digit.
func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
