package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/chskd/chskd/packer"
)

// echoer is the backend of an echo run: one connection in the line dialect, on which it hears the
// clients' events and replies to each with the event's own data.
//
// Owner: its goroutine; the counts are the driver's after close.
type echoer struct {
	conn  *net.UnixConn
	api   api
	ack   string // beginning of an acknowledgement; "" = there are none
	limit time.Duration

	replied, reads int64

	in   []byte // bytes read; a whole line has to fit
	have int
	out  []byte
	seq  int64 // of the last event

	disarm func() bool
	ended  chan error // why the goroutine ended; closed when it is known
	err    error
}

// errEchoer wraps what is wrong with the stream of events.
var errEchoer = errors.New("bench: echo backend")

// startEchoer subscribes to all echo events, in a group of its own. A backend that breaks ends the
// run by cancel.
func startEchoer(ctx context.Context, cancel context.CancelCauseFunc, o *options, run uint32) (
	*echoer, error,
) {
	codec, err := newCodec(o.packer)
	if err != nil {
		return nil, err
	}
	c, err := dialUnix(ctx, o.apiSocket)
	if err != nil {
		return nil, err
	}
	e := &echoer{
		conn: c, api: codec.api(), limit: o.timeout, in: make([]byte, messageLenMax),
		ended: make(chan error, 1), disarm: context.AfterFunc(ctx, func() { c.Close() }),
	}
	if err := e.subscribe(o, run); err != nil {
		c.Close()
		return nil, fmt.Errorf("%w: %w", errEchoer, err)
	}
	go func() {
		err := e.serve()
		if !errors.Is(err, io.EOF) {
			cancel(fmt.Errorf("%w: %w", errEchoer, err))
		}
		e.ended <- err
	}()
	return e, nil
}

// subscribe asks for the stream and reads until its hello.
func (e *echoer) subscribe(o *options, run uint32) error {
	if err := e.conn.SetDeadline(time.Now().Add(o.timeout)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.conn, `{"op":"subscribe","ref":1,"group":"bench-%08x","ids":["%s"],`+
		`"format":"%s","ack":%t}`+"\n", run, echoID, e.api.format, o.ack)
	if err != nil {
		return err
	}
	for {
		line, err := e.next()
		if err != nil {
			return err
		}
		var said struct{ Type, Epoch, Consumer, Message string }
		if err := json.Unmarshal(line, &said); err != nil {
			return fmt.Errorf("not a line of JSON: %q", clip(line))
		}
		switch said.Type {
		case "result":
		case "hello":
			if o.ack {
				e.ack = fmt.Sprintf(`{"op":"ack","epoch":"%s","consumer":"%s","seq":`, said.Epoch,
					said.Consumer)
			}
			return e.conn.SetDeadline(time.Time{})
		default:
			return fmt.Errorf("subscribe is answered with %s", clip(line))
		}
	}
}

// next reads one line, as is done before there are many. It is valid until the next read.
func (e *echoer) next() ([]byte, error) {
	for {
		if i := bytes.IndexByte(e.in[:e.have], '\n'); i >= 0 {
			line := bytes.Clone(e.in[:i])
			e.have = copy(e.in, e.in[i+1:e.have])
			return line, nil
		}
		if err := e.read(); err != nil {
			return nil, err
		}
	}
}

func (e *echoer) read() error {
	if e.have == len(e.in) {
		return errors.New("a line without an end")
	}
	n, err := e.conn.Read(e.in[e.have:])
	e.have += n
	if n > 0 {
		return nil
	}
	return err
}

// serve replies until the connection ends: all lines of a read are answered by one write.
func (e *echoer) serve() error {
	for {
		if err := e.answer(); err != nil {
			return err
		}
		if err := e.read(); err != nil {
			return err
		}
		e.reads++
	}
}

// answer handles the whole lines that are there.
func (e *echoer) answer() error {
	rest := e.in[:e.have]
	e.out = e.out[:0]
	for {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		if err := e.event(rest[:i]); err != nil {
			return err
		}
		rest = rest[i+1:]
	}
	e.have = copy(e.in, rest)
	if len(e.out) == 0 {
		return nil
	}
	if e.ack != "" {
		e.out = strconv.AppendInt(append(e.out, e.ack...), e.seq, 10)
		e.out = append(e.out, "}\n"...)
	}
	if err := e.conn.SetWriteDeadline(time.Now().Add(e.limit)); err != nil {
		return err
	}
	_, err := e.conn.Write(e.out)
	return err
}

// event appends the reply to an event: its data, as it stands in the line, in the same format.
func (e *echoer) event(line []byte) error {
	if !bytes.HasPrefix(line, []byte(`{"type":"event","seq":`)) {
		return fmt.Errorf("was told %s", clip(line))
	}
	before, after, member := `,"edn":"[:bench/echo `, `]"`, `,"edn":"`
	switch e.api.format {
	case packer.JSON:
		before, after, member = `,"event":["bench/echo",`, `]`, `,"value":`
	case packer.Transit:
		before, after, member = `,"transit":["~:bench/echo",`, `]`, `,"transit":`
	}
	seq, ok1 := between(line, `"seq":`, `,`)
	token, ok2 := between(line, `"reply_to":"`, `"`)
	data, ok3 := between(line, before, after)
	if !ok1 || !ok2 || !ok3 {
		return fmt.Errorf("was told of an event that is no echo's: %s", clip(line))
	}
	n, err := strconv.ParseInt(string(seq), 10, 64)
	if err != nil || n <= e.seq {
		return fmt.Errorf("event %s follows event %d", seq, e.seq)
	}
	e.seq = n
	e.out = append(append(e.out, `{"op":"reply","reply_to":"`...), token...)
	e.out = append(append(append(e.out, '"'), member...), data...)
	if e.api.quoted {
		e.out = append(e.out, '"')
	}
	e.out = append(e.out, "}\n"...)
	e.replied++
	return nil
}

// between is what stands between two texts; the first ends where the data begin.
func between(line []byte, before, after string) ([]byte, bool) {
	i := bytes.Index(line, []byte(before))
	if i < 0 {
		return nil, false
	}
	rest := line[i+len(before):]
	n := bytes.Index(rest, []byte(after))
	return rest[:max(n, 0)], n >= 0
}

// close ends the backend and says what went wrong in it, if something did. It may be called again.
func (e *echoer) close() error {
	if e.ended == nil {
		return e.err
	}
	e.disarm()
	err := e.conn.CloseWrite() // chskd ends its side when it has nothing more to say
	if err == nil {
		err = e.conn.SetReadDeadline(time.Now().Add(e.limit))
	}
	why := <-e.ended
	e.ended = nil
	e.conn.Close()
	if !errors.Is(why, io.EOF) || err != nil {
		e.err = fmt.Errorf("%w: %w", errEchoer, errors.Join(why, err))
	}
	return e.err
}
