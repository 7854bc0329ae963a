package httpmin

// Limits of what a chunked body may carry besides data.
const (
	maxSizeDigits = 8    // hex digits of a chunk size, leading zeros included: no overflow
	maxExtra      = 4096 // bytes of chunk extensions and trailers of one body
)

// bodyState is where in the body the next byte stands (RFC 9112 §7.1):
//
//	chunkStart -> chunkSize ----------------> chunkSizeLF -> chunkData -> chunkDataCR
//	     ^             |                       ^      |                        |
//	     |             +-> ext... (extNext) ---+      | size 0                 v
//	     |                                            |                   chunkDataLF
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
	chunkSizeLF            // LF of the size line
	chunkData              // left bytes of data
	chunkDataCR            // CR behind the data
	chunkDataLF            // its LF
	trailerStart           // a trailer field or the last CR
	trailerName            // field name up to the colon
	trailerValue           // field value up to CR
	trailerLF              // LF of a trailer field
	lastLF                 // LF of the last, empty line

	extSpace     // white space behind a size or a value: only a ";" may follow
	extStart     // behind ";": the name of an extension must come
	extName      // further characters of it, or what ends them
	extNameSpace // white space behind it: "=" or ";" may follow
	extValue     // behind "=": a token or a quoted string must come
	extToken     // further characters of the token, or what ends them
	extQuoted    // within the quoted string
	extEscape    // behind a backslash in it
	extUnquoted  // behind its end
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
	case chunkStart, chunkSize:
		return b.stepSize(c)
	case chunkSizeLF:
		return b.sizeDone(c)
	case chunkDataCR:
		return b.expect(c, '\r', chunkDataLF, errChunkEnd)
	case chunkDataLF:
		return b.expect(c, '\n', chunkStart, errChunkEnd)
	case trailerStart, trailerName:
		return b.stepTrailer(c)
	case trailerValue:
		return b.stepValue(c)
	case trailerLF:
		return b.expect(c, '\n', trailerStart, errBareCR)
	case lastLF:
		return b.expect(c, '\n', finished, errBareCR)
	}
	return b.stepExt(c)
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
	case classOf[c]&hexDigit != 0:
		if b.digits == maxSizeDigits {
			return errChunkSize
		}
		b.state = chunkSize
		b.digits++
		b.left = b.left<<4 | int64(hexValue(c))
		return nil
	case b.state == chunkStart:
		return errChunkSize
	case c == '\r':
		b.state = chunkSizeLF
		return nil
	case c == ';':
		b.state = extStart
		return b.count()
	case c == ' ' || c == '\t':
		// Only as the "bad white space" before an extension (RFC 9112 §7.1.1).
		b.state = extSpace
		return b.count()
	}
	return errChunkSize
}

// stepExt takes a byte of the extensions of a chunk. They mean nothing here and are dropped, but
// their grammar is held to: where a reader who knows quotes and one who does not would see
// different line ends, there is a body that ends in two places.
func (b *Body) stepExt(c byte) error {
	next := extNext(b.state, c)
	if next == finished {
		return errChunkExt
	}
	b.state = next
	if next == chunkSizeLF {
		return nil
	}
	return b.count()
}

// extNext gives where c leads to from a state within an extension, finished where it may not stand:
//
//	chunk-ext = *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )
//
// Source: RFC 9112 §7.1.1, RFC 9110 §5.6.4.
func extNext(state bodyState, c byte) bodyState {
	isToken, space := classOf[c]&token != 0, c == ' ' || c == '\t'
	switch {
	case state == extQuoted && c == '"':
		return extUnquoted
	case state == extQuoted && c == '\\':
		return extEscape
	case state == extQuoted || state == extEscape:
		if c >= 0x20 && c != 0x7f || c == '\t' {
			return extQuoted
		}
	case c == '\r' && (state == extName || state == extToken || state == extUnquoted):
		return chunkSizeLF
	case c == ';' && state != extStart && state != extValue:
		return extStart
	case c == '=' && (state == extName || state == extNameSpace):
		return extValue
	case c == '"' && state == extValue:
		return extQuoted
	case isToken && (state == extStart || state == extName):
		return extName
	case isToken && (state == extValue || state == extToken):
		return extToken
	case space && (state == extStart || state == extValue):
		return state
	case space && (state == extName || state == extNameSpace):
		return extNameSpace
	case space: // extSpace, extToken, extUnquoted
		return extSpace
	}
	return finished
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

// stepValue takes a byte of the value of a trailer field.
func (b *Body) stepValue(c byte) error {
	switch {
	case c == '\r':
		b.state = trailerLF
		return nil
	case c < 0x20 && c != '\t' || c == 0x7f:
		return errTrailer
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
