package wsframe

import "math"

// Kind says what Reader.Next found.
type Kind uint8

// What Next can find.
const (
	None       Kind = iota // nothing complete: it consumed what it could use, or needs more
	Message                // a whole text or binary message
	CloseFrame             // the peer's close frame; nothing comes after it
	PingFrame              // to be answered by a pong with the same payload
	PongFrame              // an answer, or unsolicited (RFC 6455 §5.5.3)
)

// Limits of a Reader, in bytes.
const (
	// PendingMax is the longest input that Next may leave for later: a control frame but one byte.
	PendingMax = 2 + 4 + ControlLenMax - 1
	// MessageLenMax is the longest message that a Reader takes, whatever its caller allows.
	MessageLenMax = math.MaxUint32
)

// Result is what Next found. Owner: loop.
type Result struct {
	Kind   Kind
	Opcode Opcode // Text or Binary of a Message; the opcode of a control frame

	// Payload is unmasked, and checked: text is UTF-8, close payloads are what ParseClose accepts.
	// It is a slice of the input, valid as long as that, or if Assembled all of *asm.
	Payload []byte
	// Assembled: the message came in pieces. The caller truncates or frees *asm after its use.
	Assembled bool
}

// Reader takes one client's bytes as they arrive and gives messages and control frames, strictly by
// RFC 6455. The zero value is ready. It is 16 bytes without pointers. Owner: loop.
//
//	boundary --- control frame, whole in b ------------> that frame; after a close: ended
//	  ^  |
//	  |  +------ data frame: header -----> payload ----> bytes arrive: unmask, check UTF-8;
//	  |                                       |          append, unless all is here at once
//	  +--- left == 0, no FIN: op stays -------+
//	  +--- left == 0, FIN: Message, op = 0 ---+
//
// Invariants: left > 0 implies op != 0; op == 0 implies utf8.Done(); key, posBits and isFin
// mean something only while left > 0; the bytes of the message so far are *asm, if op != 0.
type Reader struct {
	left   uint32  // payload bytes of the current data frame that have not arrived
	key    [4]byte // its masking key
	frames uint16  // of the message under way or the last one, see Frames
	utf8   UTF8    // of the text message under way
	op     Opcode  // Text or Binary while a message is under way, else 0
	now    state
}

// state is the rest of a Reader in one byte.
type state uint8

const (
	posBits state = 3      // offset of the next byte in the frame's payload, modulo 4
	isFin   state = 1 << 2 // the current data frame is the last of its message
	isEnded state = 1 << 3 // after a close frame or an error: whatever follows is discarded
)

// Next consumes the beginning of b, unmasking it in place, and puts what it found into res; n is
// the number of bytes consumed, which need not be shown again (but Payload may lie in them).
//
// res.Kind None with n > 0 means that it went on: call again. None with n == 0 means that it needs
// more bytes behind b; it has not changed b then, which is at most PendingMax long. Payloads of
// data frames are never waited for: they go to *asm as they arrive, text checked to the last byte,
// so that a wrong one is refused before its frame is complete. Control frames between fragments
// come out at once. *asm may be nil; it grows with what has arrived, never with what a header
// promises. A message that begins while *asm is not empty truncates it.
//
// maxLen bounds a message, in bytes over all its fragments, as soon as a header shows its length.
//
// Errors, all *Error: 1002 for a breach of framing, 1007 for text or a close reason that is not
// UTF-8, 1009 for a message over maxLen. Which one does not depend on how the bytes were split.
// With an error, and ever after it or after a close frame, all of b is consumed and ignored
// (RFC 6455 §1.4, §7.1.7). Source: RFC 6455 §5, §6.2, §7, §8.1.
func (r *Reader) Next(b []byte, asm *[]byte, maxLen int, res *Result) (n int, err error) {
	*res = Result{}
	switch {
	case r.now&isEnded != 0:
		return len(b), nil
	case r.left > 0:
		n, err = r.payload(b, asm, res)
	default:
		n, err = r.frame(b, asm, maxLen, res)
	}
	if err != nil {
		r.now = isEnded
		return len(b), err
	}
	return n, nil
}

// Ended reports whether a close frame or an error has ended what can be read.
func (r *Reader) Ended() bool { return r.now&isEnded != 0 }

// Frames is how many frames the message under way has had until now, or the last one had
// if none is, the control frames between them included. A caller bounds it: an empty
// frame counts for nothing in the length of a message, and a message that does not end is
// never judged by what it says. It stops at the largest number that it can have.
func (r *Reader) Frames() int { return int(r.frames) }

// count counts a frame of the message under way.
func (r *Reader) count() {
	if r.frames < math.MaxUint16 {
		r.frames++
	}
}

// Started reports whether a message is under way, that is whether *asm may hold a part of it.
func (r *Reader) Started() bool { return r.op != 0 }

// frame begins a frame. Its checks follow the order of the bytes, each made as soon as its bytes
// are there, so that the error does not depend on how the input was split.
func (r *Reader) frame(b []byte, asm *[]byte, maxLen int, res *Result) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	fin, op := b[0]&finBit != 0, Opcode(b[0]&0x0F)
	if err := r.checkFirst(b[0]&rsvBits, fin, op); err != nil || len(b) == 1 {
		return 0, err
	}
	if b[1]&maskBit == 0 {
		return 0, errUnmasked
	}
	if op.Control() {
		return r.control(b, op, res)
	}
	payloadLen, n, err := parseLen(b)
	if err != nil {
		if err == ErrShort {
			err = nil
		}
		return 0, err
	}
	if r.op == 0 && len(*asm) > 0 {
		*asm = (*asm)[:0]
	}
	if limit := min(max(maxLen, 0), MessageLenMax); payloadLen > uint64(max(limit-len(*asm), 0)) {
		return 0, errTooBig
	}
	if len(b) < n+4 {
		return 0, nil
	}
	if op != Continuation {
		r.op, r.frames = op, 0
	}
	r.count()
	r.left, r.key, r.now = uint32(payloadLen), [4]byte(b[n:n+4]), 0
	if fin {
		r.now = isFin
	}
	n += 4
	used, err := r.payload(b[n:], asm, res)
	return n + used, err
}

// checkFirst checks a frame's first byte: what it may be on its own, and what after the last one.
func (r *Reader) checkFirst(rsv byte, fin bool, op Opcode) error {
	switch {
	case rsv != 0:
		return errRSV
	case op.reserved():
		return errOpcode
	case op.Control():
		if !fin {
			return errControlFrag
		}
	case op == Continuation:
		if r.op == 0 {
			return errNothingToCont
		}
	case r.op != 0:
		return errInterleaved
	}
	return nil
}

// control takes a control frame once it is whole: it is small, and useless in pieces.
func (r *Reader) control(b []byte, op Opcode, res *Result) (n int, err error) {
	payloadLen := int(b[1] &^ maskBit)
	if payloadLen > ControlLenMax {
		return 0, errControlLong
	}
	n = 2 + 4 + payloadLen
	if len(b) < n {
		return 0, nil
	}
	payload := b[6:n:n]
	Mask(payload, [4]byte(b[2:6]), 0)
	if op == Close {
		if _, _, err := ParseClose(payload); err != nil {
			return 0, err
		}
		r.now = isEnded
	}
	if r.op != 0 {
		r.count()
	}
	res.Kind, res.Opcode, res.Payload = CloseFrame+Kind(op-Close), op, payload
	return n, nil
}

// payload takes what b has of the current frame's payload. A message of which nothing is assembled
// when its end comes lies whole in b and is returned from there; everything else is copied.
func (r *Reader) payload(b []byte, asm *[]byte, res *Result) (n int, err error) {
	n = int(min(uint64(len(b)), uint64(r.left)))
	piece := b[:n:n]
	Mask(piece, r.key, int(r.now&posBits))
	r.left -= uint32(n)
	r.now = r.now&^posBits | (r.now+state(n&3))&posBits
	last := r.now&isFin != 0 && r.left == 0
	if r.op == Text && (!r.utf8.Feed(piece) || last && !r.utf8.Done()) {
		return 0, errUTF8
	}
	if !last {
		*asm = append(*asm, piece...)
		return n, nil
	}
	res.Kind, res.Opcode, res.Payload = Message, r.op, piece
	if len(*asm) > 0 {
		*asm = append(*asm, piece...)
		res.Payload, res.Assembled = *asm, true
	}
	r.op = 0
	return n, nil
}
