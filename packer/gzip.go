package packer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
)

// Sente's gzip wrapper (taoensso.sente.packers.gzip): one flag byte, then the message of another
// packer, in gzip (RFC 1952) where that is long enough to pay.
//
//	00 message         below gzipLeast bytes
//	01 gzip(message)   from there on
//
// A reader takes any other flag for 00, as Sente's do.

const (
	flagRaw  = 0
	flagGzip = 1

	gzipLeast = 1024 // bytes of a message that is worth compressing: Sente's own threshold

	// gzipLevel is the fastest level that searches for repetitions. A history of chat messages as
	// edn, one core (BenchmarkGzip; 1, 5, 6 and 9 are levels):
	//
	//	          1               5               6               9
	//	2 KB      42.3%   11 us   40.3%   21 us   40.4%   19 us   40.2%    42 us
	//	100 KB    32.2%  243 us   29.8%  810 us   29.5%  974 us   27.6%  8353 us
	//
	// A loop that packs does nothing else meanwhile, and three percent of the bytes are not worth
	// four times the wait.
	gzipLevel = gzip.BestSpeed

	// keepInner is how much memory for inflated messages a Gzip keeps between two of them.
	keepInner = 64 << 10
)

// ErrTooLarge is a message in the gzip wrapper that is longer than its reader allows once it is
// inflated: close code 1009, HTTP status 413.
var ErrTooLarge = errors.New("packer: the message is too long when inflated")

// Gzip wraps and unwraps messages. It is working memory for any number of conns, one message at a
// time: 0.8 MB for writing and 45 KB for reading, each taken when a message first needs it. What
// inflated messages take beyond 64 KiB is given back by Trim. The zero value is ready. Owner: loop.
type Gzip struct {
	writer *gzip.Writer
	packed appender

	reader *gzip.Reader
	in     bytes.Reader
	inner  []byte
}

// appender is an io.Writer that appends.
type appender struct{ b []byte }

// Write takes all of b; it never fails.
func (a *appender) Write(b []byte) (int, error) {
	a.b = append(a.b, b...)
	return len(b), nil
}

// Pack appends the message msg, in the wrapper, to dst. Neither is kept; they must not overlap.
func (g *Gzip) Pack(dst, msg []byte) []byte {
	if len(msg) < gzipLeast {
		return append(append(dst, flagRaw), msg...)
	}
	g.packed.b = append(dst, flagGzip)
	if g.writer == nil {
		g.writer, _ = gzip.NewWriterLevel(&g.packed, gzipLevel) // fails only for what is no level
	} else {
		g.writer.Reset(&g.packed)
	}
	_, err := g.writer.Write(msg)
	if err == nil {
		err = g.writer.Close()
	}
	if err != nil {
		panic("packer: gzip into memory failed: " + err.Error())
	}
	dst, g.packed.b = g.packed.b, nil
	return dst
}

// Unpack takes the message out of the wrapper b. Of what is gzip the first member counts (RFC 1952
// §2.2), as Sente's clients write only one; what stands behind it is ignored, as it is behind
// every binary message. inner is a span of b or of g's memory: valid until b changes, or the next Unpack
// or Trim.
//
// limit is how many bytes inner may have; no more memory is taken for it, whatever the stream
// promises. Errors: ErrTooLarge, and ErrUndecodable for no bytes at all or a broken stream.
func (g *Gzip) Unpack(b []byte, limit int) (inner []byte, err error) {
	switch {
	case len(b) == 0:
		return nil, ErrUndecodable
	case b[0] == flagGzip:
		return g.inflate(b[1:], limit)
	case len(b)-1 > limit:
		return nil, ErrTooLarge
	}
	return b[1:], nil
}

func (g *Gzip) inflate(b []byte, limit int) ([]byte, error) {
	if !g.open(b) {
		return nil, ErrUndecodable
	}
	out := g.inner[:0]
	for {
		// One byte more than the limit shows that there is more.
		room := limit + 1 - len(out)
		if len(out) == cap(out) {
			out = slices.Grow(out, min(max(len(out), 4*len(b), 512), room))
		}
		n, err := g.reader.Read(out[len(out):min(cap(out), limit+1)])
		out = out[:len(out)+n]
		g.inner = out
		switch {
		case len(out) > limit:
			return nil, ErrTooLarge
		case err == io.EOF: // length and checksum are right
			return out, nil
		case err != nil:
			return nil, ErrUndecodable
		}
	}
}

// open starts reading the gzip stream b and tells whether it has a header.
func (g *Gzip) open(b []byte) bool {
	// The reader takes the memory that an extra field promises before it looks whether it is there
	// (RFC 1952 §2.3.1.1).
	const flags, extra, extraLen, extraAt = 3, 4, 10, 12
	if len(b) < extraAt ||
		b[flags]&extra != 0 && len(b) < extraAt+int(binary.LittleEndian.Uint16(b[extraLen:])) {
		return false
	}
	g.in.Reset(b)
	if g.reader == nil {
		g.reader = new(gzip.Reader)
	}
	if g.reader.Reset(&g.in) != nil {
		return false
	}
	g.reader.Multistream(false)
	return true
}

// Trim gives back what a long inflated message took: to be called when it has been used.
func (g *Gzip) Trim() {
	g.in.Reset(nil)
	if cap(g.inner) > keepInner {
		g.inner = nil
	}
}
