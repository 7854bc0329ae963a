package fuzz_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/chskd/chskd/internal/wirecases"
	"github.com/chskd/chskd/wsframe"
)

// framesMax is the longest message in this target: short enough that limits are met often.
const framesMax = 300

// FuzzFrames gives wsframe.Reader arbitrary bytes in random pieces. What comes out must not depend
// on the pieces and must be what framesNaive reads; headers must be read as another implementation
// does; and the bytes, taken as a payload, must survive being framed in random fragments.
func FuzzFrames(f *testing.F) {
	for i, seed := range frameSeeds() {
		f.Add(seed, uint64(i))
	}
	for i, c := range wirecases.FrameCases() {
		if len(c.In) <= 1000 {
			f.Add([]byte(c.In), uint64(i))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		if len(in) > 4096 {
			return
		}
		rnd := rand.New(rand.NewPCG(seed, 6455))
		want := framesNaive(in)
		for range 4 {
			cuts := framesCuts(rnd, len(in))
			if got := framesRead(t, in, cuts, framesMax); !slices.Equal(got, want) {
				t.Fatalf("% x\ncut at %v\ngot  %q\nwant %q", in, cuts, got, want)
			}
		}
		framesCheckHeader(t, in)
		framesRoundTrip(t, in, rnd)
	})
}

// frameSeeds are RFC 6455 examples, what real clients send, and each kind of breach.
func frameSeeds() [][]byte {
	key := [4]byte{0x37, 0xFA, 0x21, 0x3D}
	frame := func(first byte, payload string) []byte {
		b := wsframe.AppendClientHeader(nil, true, 0, key, len(payload))
		b[0] = first
		b = append(b, payload...)
		wsframe.Mask(b[len(b)-len(payload):], key, 0)
		return b
	}
	long := string(bytes.Repeat([]byte("x"), 126))
	return [][]byte{
		[]byte("\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58"),
		[]byte("\x81\x05Hello"),
		frame(0x81, "[[:chsk/ws-ping] \"a1b2c3\"]"),
		frame(0x81, "[[:chsk/ws-pong] nil]"),
		frame(0x81, "[[:chat/send {:text \"h\u00E9llo \U0001F600\"}] nil]"),
		slices.Concat(frame(0x01, "Hel"), frame(0x89, "ping"), frame(0x80, "lo")),
		slices.Concat(frame(0x02, ""), frame(0x00, "\xFF"), frame(0x80, "")),
		slices.Concat(frame(0x01, "\xE2"), frame(0x00, "\x82"), frame(0x80, "\xAC")),
		slices.Concat(frame(0x01, "\xE2"), frame(0x80, "\x28\xA1")),
		slices.Concat(frame(0x82, long), frame(0x82, long), frame(0x8A, "")),
		slices.Concat(frame(0x02, long), frame(0x00, long), frame(0x80, long)),
		frame(0x88, "\x03\xE8CLOSE_NORMAL"),
		frame(0x88, "\x03"),
		frame(0x88, "\x03\xED"),
		frame(0x88, "\x03\xE8\xC0"),
		slices.Concat(frame(0x88, ""), frame(0x81, "x")),
		frame(0x83, ""), frame(0xC1, ""), frame(0x09, ""), frame(0x80, "x"), frame(0x89, long),
		slices.Concat(frame(0x01, "a"), frame(0x81, "b")),
		[]byte("\x82\xFE\x00\x7D"),
		[]byte("\x82\xFF\x80\x00\x00\x00\x00\x00\x00\x00"),
		[]byte("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00\x00\x00\x00"),
	}
}

// framesCuts returns increasing offsets: sometimes none, sometimes every byte.
func framesCuts(rnd *rand.Rand, n int) (cuts []int) {
	one := 1 + rnd.IntN(n+1)
	for at := 1 + rnd.IntN(one); at < n; at += 1 + rnd.IntN(one) {
		cuts = append(cuts, at)
	}
	return cuts
}

// framesRead shows in to a Reader piece by piece and returns what came out, one line each; "open"
// last if a message is under way.
func framesRead(t *testing.T, in []byte, cuts []int, maxLen int) (out []string) {
	t.Helper()
	var r wsframe.Reader
	var res wsframe.Result
	var asm, pending []byte
	at := 0
	for _, end := range append(slices.Clone(cuts), len(in)) {
		pending = append(slices.Clone(pending), in[at:end]...)
		at = end
		for {
			n, err := r.Next(pending, &asm, maxLen, &res)
			var e *wsframe.Error
			if errors.As(err, &e) {
				return append(out, fmt.Sprintf("error %d", e.Code))
			}
			if n < 0 || n > len(pending) || err != nil {
				t.Fatalf("consumed %d of %d, %v", n, len(pending), err)
			}
			if res.Kind == wsframe.None && n == 0 {
				break
			}
			if res.Kind != wsframe.None {
				out = append(out, fmt.Sprintf("%d %x", res.Opcode, res.Payload))
			}
			if res.Assembled {
				asm = asm[:0]
			}
			pending = pending[n:]
		}
		if len(pending) > wsframe.PendingMax || len(asm) > maxLen {
			t.Fatalf("%d bytes pending, %d assembled", len(pending), len(asm))
		}
	}
	if r.Started() {
		out = append(out, "open")
	}
	return out
}

// naiveFrames is RFC 6455 written down in the order of its bytes, with everything in memory at once
// and no care for speed.
type naiveFrames struct {
	in      []byte
	out     []string
	started byte // opcode of the message under way
	message []byte
}

// framesNaive returns the lines that framesRead must return.
func framesNaive(in []byte) []string {
	n := naiveFrames{in: in}
	for n.frame() {
	}
	if n.started != 0 && !(len(n.out) > 0 && n.out[len(n.out)-1][0] == 'e') {
		n.out = append(n.out, "open")
	}
	return n.out
}

func (n *naiveFrames) fail(code int) bool {
	n.out = append(n.out, fmt.Sprintf("error %d", code))
	return false
}

// frame reads one frame and reports whether another may follow.
func (n *naiveFrames) frame() bool {
	b := n.in
	if len(b) == 0 {
		return false
	}
	fin, op := b[0] >= 0x80, b[0]&15
	switch {
	case b[0]&0x70 != 0:
		return n.fail(1002)
	case op > 10 || op > 2 && op < 8:
		return n.fail(1002)
	case op >= 8 && !fin:
		return n.fail(1002)
	case op == 0 && n.started == 0, op > 0 && op < 8 && n.started != 0:
		return n.fail(1002)
	}
	if len(b) < 2 {
		return false
	}
	if b[1] < 0x80 || op >= 8 && b[1]&127 > 125 {
		return n.fail(1002)
	}
	size, at := uint64(b[1]&127), 2
	if size > 125 {
		at += map[uint64]int{126: 2, 127: 8}[size]
		if len(b) < at {
			return false
		}
		low := map[uint64]uint64{126: 126, 127: 65536}[size]
		size = binary.BigEndian.Uint64(append(make([]byte, 10-at), b[2:at]...))
		if size < low || size >= 1<<63 {
			return n.fail(1002)
		}
	}
	if op < 8 && uint64(len(n.message))+size > framesMax {
		return n.fail(1009)
	}
	if len(b) < at+4 {
		return false
	}
	payload := slices.Clone(b[at+4:])
	whole := uint64(len(payload)) >= size
	if whole {
		payload = payload[:size]
		n.in = b[at+4+int(size):]
	}
	for i := range payload {
		payload[i] ^= b[at+i%4]
	}
	if op >= 8 {
		return whole && n.control(op, payload)
	}
	return n.data(op, payload, whole, fin)
}

func (n *naiveFrames) control(op byte, payload []byte) bool {
	if op == 8 && len(payload) > 0 {
		if len(payload) == 1 {
			return n.fail(1002)
		}
		code := int(payload[0])*256 + int(payload[1])
		bad := code < 1000 || code >= 5000 || code > 1014 && code < 3000 || code >= 1004 && code <= 1006
		if bad {
			return n.fail(1002)
		}
		if !utf8.Valid(payload[2:]) {
			return n.fail(1007)
		}
	}
	n.out = append(n.out, fmt.Sprintf("%d %x", op, payload))
	return op != 8
}

func (n *naiveFrames) data(op byte, payload []byte, whole, fin bool) bool {
	if op != 0 {
		n.started, n.message = op, nil
	}
	n.message = append(n.message, payload...)
	if n.started == 1 && !framesViable(n.message, whole && fin) {
		return n.fail(1007)
	}
	if whole && fin {
		n.out = append(n.out, fmt.Sprintf("%d %x", n.started, n.message))
		n.started, n.message = 0, nil
	}
	return whole
}

// framesViable reports whether b is valid text, or if it has not ended, the beginning of some.
func framesViable(b []byte, ended bool) bool {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			return !ended && !utf8.FullRune(b)
		}
		b = b[size:]
	}
	return true
}

// framesCheckHeader compares ParseHeader with gobwas/ws, which does not ask for the shortest form,
// and writes an accepted header again.
func framesCheckHeader(t *testing.T, in []byte) {
	t.Helper()
	h, n, err := wsframe.ParseHeader(in)
	if err != nil {
		return
	}
	o, err := ws.ReadHeader(bytes.NewReader(in[:n]))
	if err != nil || o.Fin != h.Fin || o.Rsv != h.RSV || byte(o.OpCode) != byte(h.Opcode) ||
		o.Masked != h.Masked || o.Mask != h.Key || uint64(o.Length) != h.Len {
		t.Fatalf("% x: got %+v; gobwas/ws: %+v, %v", in[:n], h, o, err)
	}
	var again []byte
	if h.Masked {
		again = wsframe.AppendClientHeader(nil, h.Fin, h.Opcode, h.Key, int(h.Len))
	} else {
		again = wsframe.AppendHeader(nil, h.Opcode, int(h.Len))
		again[0] = in[0] // servers do not fragment
	}
	again[0] |= h.RSV << 4
	if !bytes.Equal(again, in[:n]) {
		t.Fatalf("% x written again: % x", in[:n], again)
	}
}

// framesRoundTrip frames payload in random fragments and reads it back in random pieces.
func framesRoundTrip(t *testing.T, payload []byte, rnd *rand.Rand) {
	t.Helper()
	op := wsframe.Binary
	if utf8.Valid(payload) {
		op = wsframe.Text
	}
	want := []string{fmt.Sprintf("%d %x", op, payload)}
	var in []byte
	at, next := 0, op
	for _, end := range append(framesCuts(rnd, len(payload)), len(payload)) {
		key := [4]byte(binary.BigEndian.AppendUint32(nil, rnd.Uint32()))
		in = wsframe.AppendClientHeader(in, end == len(payload), next, key, end-at)
		in = append(in, payload[at:end]...)
		wsframe.Mask(in[len(in)-(end-at):], key, 0)
		at, next = end, wsframe.Continuation
	}
	if got := framesRead(t, in, framesCuts(rnd, len(in)), len(payload)); !slices.Equal(got, want) {
		t.Fatalf("payload % x, framed % x\ngot  %q", payload, in, got)
	}
}
