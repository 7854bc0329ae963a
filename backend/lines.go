package backend

import (
	"bytes"
	"errors"
	"io"
)

// ErrLineTooLong is a line over the limit. The rest of the line is skipped: the next one can be
// read, so one bad line of an NDJSON request does not spoil the others.
var ErrLineTooLong = errors.New("backend: line too long")

// Lines cuts a stream into lines. They end with LF or CR LF; the last one needs no end. Lines of
// nothing but white space are counted and not returned. However the stream is cut into reads, the
// lines are the same. Its buffer grows to the longest line, at most the limit. One goroutine.
type Lines struct {
	r   io.Reader
	max int

	buf        []byte
	start, end int   // unread bytes of buf
	seen       int   // bytes after start that hold no LF
	number     int   // of the last line
	err        error // of r, told after what is in buf
}

// NewLines reads lines of at most max bytes, line ends not counted.
func NewLines(r io.Reader, max int) *Lines {
	return &Lines{r: r, max: max, buf: make([]byte, 4096)}
}

// Next gives the next line without its end, and its number from 1. The line is valid until the
// next call. Errors: io.EOF at the end, [ErrLineTooLong] with the number of the line, else r's.
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
	for {
		unread := l.buf[l.start:l.end]
		if i := bytes.IndexByte(unread[l.seen:], '\n'); i >= 0 {
			return l.cut(l.seen+i, l.seen+i+1)
		}
		l.seen = len(unread)
		if l.seen > l.max+1 { // one more than allowed, and that one is not the CR of a CR LF
			return nil, l.skip()
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
		return nil, ErrLineTooLong
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
	if l.end == len(l.buf) {
		grown := make([]byte, min(2*len(l.buf), max(l.max+2, len(l.buf)+1)))
		copy(grown, l.buf)
		l.buf = grown
	}
	n, err := l.r.Read(l.buf[l.end:])
	l.end += n
	l.err = err
}

// skip drops the line that is too long, to its end or the stream's.
func (l *Lines) skip() error {
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
			return l.err
		}
		l.fill()
	}
	l.seen = 0
	l.number++
	return ErrLineTooLong
}
