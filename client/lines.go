package client

import (
	"bytes"
	"errors"
	"io"
)

const (
	readBytes = 64 << 10
	maxAnswer = 64 << 20 // bytes of one line of the daemon; a page of users is a hundredth of it
)

var errLongLine = errors.New("client: a line of the server has no end")

// lineReader cuts what the daemon writes into lines. Its buffer grows to the longest.
type lineReader struct {
	r          io.Reader
	buf        []byte
	start, end int
	seen       int // bytes after start that hold no LF
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{r: r, buf: make([]byte, 4<<10)} }

// ready gives a line that has come already, without its end; nil = none. It is valid until the
// next fill.
func (l *lineReader) ready() []byte {
	i := bytes.IndexByte(l.buf[l.start+l.seen:l.end], '\n')
	if i < 0 {
		l.seen = l.end - l.start
		return nil
	}
	line := l.buf[l.start : l.start+l.seen+i]
	l.start += l.seen + i + 1
	l.seen = 0
	return line
}

// fill waits for more.
func (l *lineReader) fill() error {
	if l.start > 0 {
		l.end = copy(l.buf, l.buf[l.start:l.end])
		l.start = 0
	}
	if l.end == len(l.buf) {
		if l.end >= maxAnswer {
			return errLongLine
		}
		grown := make([]byte, max(readBytes, 2*l.end))
		copy(grown, l.buf[:l.end])
		l.buf = grown
	}
	n, err := l.r.Read(l.buf[l.end:])
	l.end += n
	if n > 0 {
		return nil // an error comes again
	}
	return err
}

// next waits for a line. It is valid until the next call.
func (l *lineReader) next() ([]byte, error) {
	for {
		if line := l.ready(); line != nil {
			return line, nil
		}
		if err := l.fill(); err != nil {
			return nil, err
		}
	}
}
