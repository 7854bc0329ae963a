package httpmin

// Body reads the body of one request, by Content-Length or chunked, from pieces
// of any size (RFC 9112 §6). It holds no pointers and keeps no input, so it can
// live in a slab. The zero value is a body that is done. Owner: loop.
type Body struct {
	left   int64 // data bytes still to come: of the body, or of the current chunk
	room   int64 // decoded bytes that may still come before it is too large
	extra  uint16
	digits uint8
	state  bodyState
}

// Reset makes b ready for the body that h announces, of at most max decoded
// bytes. A Content-Length over max is *Error 413, here and from Feed: told
// before any of it has been asked for by "100 Continue".
func (b *Body) Reset(h *Head, max int64) error {
	*b = Body{room: max}
	switch {
	case h.Chunked:
		b.state = chunkStart
	case h.ContentLength > max:
		b.state = tooLarge
		return errBodyLarge
	case h.ContentLength > 0:
		b.state, b.left = plain, h.ContentLength
	}
	return nil
}

// Feed appends what src holds of the body, decoded, to dst, and gives the
// grown dst and the number n of bytes of src that it used. Once done, what is
// left of src belongs to the next request, and Feed uses nothing more; until
// then n is len(src). Any split of the input gives the same. Errors are *Error
// (400, 413, 431); the Body is then of no use until Reset. dst is the caller's,
// src is not kept.
func (b *Body) Feed(dst, src []byte) (out []byte, n int, done bool, err error) {
	switch b.state {
	case finished:
		return dst, 0, true, nil
	case tooLarge:
		return dst, 0, false, errBodyLarge
	case plain:
		dst, n = b.copyData(dst, src)
		if b.left == 0 {
			b.state = finished
		}
		return dst, n, b.state == finished, nil
	}
	return b.feedChunks(dst, src)
}

// InPlace gives the body without copying it, if it has a Content-Length and is
// wholly at the start of src; then b is done and len(body) bytes of src are
// used. body is a slice of src. Otherwise ok is false, nothing is used, and
// Feed must be called.
func (b *Body) InPlace(src []byte) (body []byte, ok bool) {
	if b.state != plain || b.left > int64(len(src)) {
		return nil, false
	}
	body = src[:b.left:b.left]
	b.left, b.state = 0, finished
	return body, true
}

// copyData appends at most left bytes of src to dst.
func (b *Body) copyData(dst, src []byte) ([]byte, int) {
	n := int(min(b.left, int64(len(src))))
	b.left -= int64(n)
	return append(dst, src[:n]...), n
}
