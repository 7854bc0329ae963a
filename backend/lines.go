package backend

import (
	"bytes"
	"errors"
	"io"
)

// ErrLineTooLong is a line over the limit. Its beginning comes with the error, as long as the limit;
// the rest of the line is skipped: the next one can be read, so one bad line of an NDJSON request
// does not spoil the others.
var ErrLineTooLong = errors.New("backend: line too long")

// Lines cuts a stream into lines. They end with LF or CR LF; the last one needs no end. Lines of
// nothing but white space are counted and not returned. However the stream is cut into reads, the
// lines are the same. Its buffer grows to the longest line, at most the limit, and while reads fill
// it, to take many lines at once. One goroutine.
type Lines struct {
	r    io.Reader
	max  int
	idle func() // called before each read, which may wait; nil = none

	buf        []byte
	start, end int   // unread bytes of buf
	seen       int   // bytes after start that hold no LF
	number     int   // of the last line
	skipping   bool  // the rest of the last line was too long, and is not read yet
	full       bool  // the last read filled the buffer
	err        error // of r, told after what is in buf
}

// NewLines reads lines of at most max bytes, line ends not counted.
func NewLines(r io.Reader, max int) *Lines {
	return &Lines{r: r, max: max, buf: make([]byte, 4096)}
}

// Next gives the next line without its end, and its number from 1. The line is valid until the
// next call. Errors: io.EOF at the end, [ErrLineTooLong] with the number of the line and its
// beginning, else r's.
func (l *Lines) Next() (line []byte, number int, err error) {
	for {
		line, err = l.one()
		if err != nil || len(bytes.TrimSpace(line)) > 0 {
			return line, l.number, err
		}
	}
}

// one gives the next line, blank or not.
func (l *Lines) one() ([]byte, error) {
	if l.skipping && !l.skip() {
		return nil, l.err
	}
	for {
		unread := l.buf[l.start:l.end]
		if i := bytes.IndexByte(unread[l.seen:], '\n'); i >= 0 {
			return l.cut(l.seen+i, l.seen+i+1)
		}
		l.seen = len(unread)
		if l.seen > l.max+1 { // one more than allowed, and that one is not the CR of a CR LF
			l.number++
			l.skipping = true
			return unread[:l.max], ErrLineTooLong
		}
		if l.err != nil {
			if l.err == io.EOF && len(unread) > 0 {
				return l.cut(len(unread), len(unread))
			}
			return nil, l.err
		}
		l.fill()
	}
}

// cut takes n bytes as a line, and moves on by skip.
func (l *Lines) cut(n, skip int) ([]byte, error) {
	line := l.buf[l.start : l.start+n]
	l.start += skip
	l.seen = 0
	l.number++
	if n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) > l.max {
		return line[:l.max], ErrLineTooLong
	}
	return line, nil
}

// fill reads once, into room made by moving or growing.
func (l *Lines) fill() {
	if l.start == l.end {
		l.start, l.end = 0, 0
	}
	if l.end == len(l.buf) && l.start > 0 {
		l.end = copy(l.buf, l.buf[l.start:l.end])
		l.start = 0
	}
	if l.end == len(l.buf) || l.full && len(l.buf) < readChunk {
		grown := make([]byte, min(2*len(l.buf), max(l.max+2, len(l.buf)+1, readChunk)))
		copy(grown, l.buf[:l.end])
		l.buf = grown
	}
	if l.idle != nil {
		l.idle()
	}
	n, err := l.r.Read(l.buf[l.end:])
	l.end += n
	l.full = l.end == len(l.buf)
	l.err = err
}

// skip drops the rest of a line that is too long, to its end or the stream's; false = the stream
// broke before.
func (l *Lines) skip() bool {
	for {
		if i := bytes.IndexByte(l.buf[l.start:l.end], '\n'); i >= 0 {
			l.start += i + 1
			break
		}
		l.start, l.end = 0, 0
		if l.err == io.EOF {
			break
		}
		if l.err != nil {
			return false
		}
		l.fill()
	}
	l.seen, l.skipping = 0, false
	return true
}
