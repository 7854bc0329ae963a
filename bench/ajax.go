package bench

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// A polling client, as Sente's protocol has it: a GET hangs at the server until there are events,
// or 20 s are over; its answer is read and the next GET follows on the same TCP connection. The
// first one asks for a handshake. What a client says is a POST of its own, which travels over one
// of the loop's posters: connections that serve all polling clients, one request at a time each.

// poll sends the next poll of the client in slot. Its udt grows from poll to poll: by that a server
// knows a browser's replay.
func (l *loop) poll(slot int32, c *conn) {
	c.udt = max(c.udt+1, uint32(time.Now().UnixMilli()-l.base))
	b := append(l.out[:0], "GET "...)
	b = l.target.appendPath(b, slot)
	b = strconv.AppendInt(append(b, "&udt="...), l.base+int64(c.udt), 10)
	if c.state == connHandshaking {
		b = append(b, "&handshake%3F=1"...)
	}
	l.out = l.target.appendOrigin(l.target.appendAjax(b))
	l.send(slot, c, l.out)
}

// post sends a message (in the syntax that codec.encode reads) of the client in c.client.
func (l *loop) post(slot int32, c *conn, text []byte) {
	l.postUDT = max(l.postUDT+1, time.Now().UnixMilli())
	message := l.codec.encode(text)
	b := l.target.appendPath(append(l.out[:0], "POST "...), c.client)
	kind := "application/octet-stream"
	if l.codec.packer.Binary() {
		b = strconv.AppendInt(append(b, "&udt="...), l.postUDT, 10)
		b = append(b, "&binary%3F=true"...)
		l.body = append(l.body[:0], message...)
	} else {
		kind = "application/x-www-form-urlencoded;charset=UTF-8"
		l.body = strconv.AppendInt(append(l.body[:0], "udt="...), l.postUDT, 10)
		l.body = l.target.appendClientID(append(l.body, "&client-id="...), l.target.First+int(c.client))
		l.body = appendEscaped(append(l.body, "&ppstr="...), message)
	}
	b = l.target.appendAjax(b)
	b = fmt.Appendf(b, "Content-Type: %s\r\nContent-Length: %d\r\n", kind, len(l.body))
	l.out = append(l.target.appendOrigin(b), l.body...)
	l.send(slot, c, l.out)
}

// appendEscaped appends b as the value of a form's field (URL Standard §5.2).
func appendEscaped(dst, b []byte) []byte {
	for _, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '-', c == '_', c == '.':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		}
	}
	return dst
}

// answers handles the whole HTTP answers of b and returns what is left.
func (l *loop) answers(slot int32, c *conn, b []byte) []byte {
	for len(b) > 0 && c.fd >= 0 {
		a, n, err := parseAnswer(b)
		if errors.Is(err, errShort) {
			return b
		}
		if err == nil {
			err = l.answer(slot, c, a.body)
		}
		if err != nil {
			l.fail(slot, err)
			return nil
		}
		b = b[n:]
		if a.last && c.fd >= 0 {
			l.renew(slot, c)
			return nil
		}
	}
	return nil
}

// answer acts on the body of one answer, to a poll or a POST.
func (l *loop) answer(slot int32, c *conn, body []byte) error {
	text, err := l.codec.decode(body)
	if err != nil {
		return err
	}
	l.scan.ajax = true
	kind, _, err := l.scan.start(l.codec.read, text)
	l.scan.ajax = false
	if err != nil {
		return err
	}
	if c.kind == kindPost {
		if kind != messageAnswer {
			return fmt.Errorf("a POST is answered with %q", clip(text))
		}
		return l.replied(slot, c)
	}
	l.polled++
	switch {
	case kind == messageHandshake:
		if c.state == connHandshaking {
			l.opened(slot, c)
		} else {
			l.forgotten++ // the server does not know it any more
		}
	case c.state == connHandshaking:
		return fmt.Errorf("handshake out of place: got %q", clip(text))
	case kind == messageBatch:
		if err := l.batch(slot, c); err != nil {
			return err
		}
	case !l.isTimeout(l.scan.value):
		return fmt.Errorf("a poll is answered with %q", clip(text))
	}
	l.poll(slot, c)
	return nil
}

func (l *loop) isTimeout(value []byte) bool {
	if l.codec.read.quote == ':' {
		return string(value) == ":chsk/timeout"
	}
	return string(value) == `"chsk/timeout"`
}

// renew replaces the TCP connection in slot, which the server ends.
func (l *loop) renew(slot int32, c *conn) {
	if c.state == connOpen && c.kind != kindPost {
		l.open--
	}
	l.shut(c)
	l.forget(slot, c)
	l.dial(slot)
}

// httpAnswer is one answer; body is a slice of the parsed bytes.
type httpAnswer struct {
	body []byte
	last bool // the server ends the connection behind it
}

// parseAnswer reads the HTTP answer at the start of b and says how many bytes it has. Servers of
// Sente's protocol answer with status 200 and a Content-Length.
func parseAnswer(b []byte) (a httpAnswer, n int, err error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return a, 0, noHead(b)
	}
	line, headers, _ := bytes.Cut(b[:end+2], []byte("\r\n"))
	length := -1
	for len(headers) > 0 {
		var header []byte
		header, headers, _ = bytes.Cut(headers, []byte("\r\n"))
		name, value, _ := bytes.Cut(header, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return a, 0, fmt.Errorf("wrong Content-Length %q", clip(value))
			}
		case bytes.EqualFold(name, []byte("connection")):
			a.last = bytes.EqualFold(value, []byte("close"))
		}
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
		return a, 0, fmt.Errorf("%s: %q", clip(line), clip(b[end+4:]))
	}
	if length < 0 || length > messageLenMax {
		return a, 0, fmt.Errorf("an answer of %d bytes (-1 = without Content-Length)", length)
	}
	n = end + 4 + length
	if len(b) < n {
		return a, 0, errShort
	}
	a.body = b[end+4 : n]
	return a, n, nil
}

// noHead is what is wrong with an answer whose head has no end yet: perhaps nothing.
func noHead(b []byte) error {
	if len(b) > headLenMax {
		return fmt.Errorf("response head is over %d bytes", headLenMax)
	}
	if !isPrefix(b, "HTTP/1.1 ") {
		return fmt.Errorf("not an HTTP response: %q", clip(b))
	}
	return errShort
}
