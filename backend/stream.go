package backend

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// stream is the writer of one consumer: it takes what the hub has for it, and writes lines.
//
// The answer has no length and ends with the connection (RFC 9112 §6.3): after the head the
// socket belongs to the stream, which so knows how much of a line a slow reader has taken.
type stream struct {
	hub   *Hub
	c     *consumer
	conn  net.Conn
	stall time.Duration
	enc   encoder
	out   []byte
}

const streamHead = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n" +
	"Cache-Control: no-store\r\nConnection: close\r\n\r\n"

// errStalled is a consumer that left its socket full for too long.
var errStalled = errors.New("backend: the consumer does not read")

// run serves the consumer until it is gone, cut, or the hub closes. gone is closed when the peer
// closes its side.
func (s *stream) run(gone <-chan struct{}) {
	s.out = append(s.out, streamHead...)
	s.out = s.enc.hello(s.out, s.hub.epoch, s.c.id)
	err := s.flush()
	ended := false
	var batch []entry
	var unwritten []entry
	for err == nil {
		var more bool
		batch, more, ended = s.hub.take(s.c, batch)
		if unwritten, err = s.write(batch); ended || err != nil {
			break
		}
		if len(batch) > 0 || more {
			continue
		}
		select {
		case <-s.c.wake:
		case <-gone:
			err = io.EOF
		}
	}
	s.hub.leave(s.c, unwritten, errors.Is(err, errStalled))
	switch {
	case errors.Is(err, errStalled):
		s.cut(cutFor("slow_consumer", "nothing was read for %s; the stream is cut", s.stall))
	case ended && s.c.cut != nil:
		s.cut(s.c.cut)
	}
}

// write sends a batch in pieces; after an error it gives the entries that were not sent. A piece
// that broke counts as sent: nobody can say what its reader saw, and no event goes out twice.
func (s *stream) write(batch []entry) (unwritten []entry, err error) {
	from := 0
	for i := range batch {
		s.out = s.enc.entry(s.out, &batch[i])
		if len(s.out) < writeChunk && i+1 < len(batch) {
			continue
		}
		err = s.flush()
		s.hub.settle(s.c, batch[from:i+1])
		from = i + 1
		if err != nil {
			return batch[from:], err
		}
	}
	return nil, nil
}

// flush writes what is in out, and keeps what could not be written.
func (s *stream) flush() error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(s.stall)); err != nil {
		return err
	}
	n, err := s.conn.Write(s.out)
	s.out = s.out[:copy(s.out, s.out[n:])]
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errStalled
	}
	return err
}

// cut tells the consumer why its stream ends.
func (s *stream) cut(why *Error) {
	told := lastWords(s.conn, s.out, why)
	s.hub.o.Log.Info("a consumer was cut", "consumer", s.c.id, "why", why.Code, "told", told)
}

// lastWords writes the rest of a broken piece and why the connection ends. The socket may be full:
// its buffer is made larger for it.
func lastWords(conn net.Conn, rest []byte, why *Error) (told bool) {
	rest = appendFailure(rest, nil, 0, why)
	if c, ok := conn.(syscall.Conn); ok {
		widen(c, len(rest))
	}
	if conn.SetWriteDeadline(time.Now().Add(cutWait)) != nil {
		return false
	}
	_, err := conn.Write(rest)
	return err == nil
}

// watch closes gone when the peer closes its side. What it still sends has no meaning.
func watch(conn io.Reader, gone chan<- struct{}) {
	defer close(gone)
	var b [512]byte
	for {
		if _, err := conn.Read(b[:]); err != nil {
			return
		}
	}
}

// parseFollowing reads the `presence` parameter.
func parseFollowing(s string) (following, *Error) {
	switch strings.ToLower(s) {
	case "", "0", "false":
		return followNone, nil
	case "1", "true":
		return followSlots, nil
	case "all":
		return followAll, nil
	}
	return 0, bad("bad_param", `"presence" must be 1, 0 or all, not %q`, s)
}
