package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"

	"github.com/chskd/chskd/backend"
)

// `chskd push -`: the standard input as lines of one connection. Three goroutines:
//
//	read: input -> requests     write: requests -> daemon     hear: daemon -> answers
//
// Each line is a request whose ref is the line's number, so that every one is answered, and what is
// wrong is told where it stands. A full daemon stops reading, and so does this.

const (
	// inputLineMax bounds one line, in bytes. What the daemon takes is its own option.
	inputLineMax = 16 << 20

	// inputAhead is how many lines are read before they are written.
	inputAhead = 16
)

// linePusher counts what became of the lines. Its mutex guards all but conn.
type linePusher struct {
	conn net.Conn
	line *statusLine

	mu   sync.Mutex
	open map[int]struct{} // lines that were read and are not answered
	pushed
	failed error // of the input
}

// pushed is the summary.
type pushed struct {
	Accepted   int `json:"accepted"`
	Rejected   int `json:"rejected"`
	Duplicates int `json:"duplicates"`
	Unanswered int `json:"unanswered"`
}

// pushLines pushes the lines of in over a connection that it closes, tells on errs what is refused,
// and prints the summary to out.
func pushLines(conn net.Conn, in io.Reader, out, errs io.Writer) (err error) {
	p := &linePusher{conn: conn, line: newStatusLine(errs), open: map[int]struct{}{}}
	requests := make(chan []byte, inputAhead)
	gone := make(chan struct{}) // closed when the daemon's side has ended
	go func() {
		defer close(requests)
		p.read(in, requests, gone)
	}()
	var why error
	go func() {
		defer close(gone)
		why = p.hear()
	}()
	stop := p.line.every(p.progress)
	whole := p.write(requests, gone)
	<-gone
	stop()
	if e := conn.Close(); e != nil && !errors.Is(e, net.ErrClosed) {
		err = e
	}
	return errors.Join(p.end(out, whole, why), err)
}

// read turns lines into requests until the input ends, or nobody takes them any more.
func (p *linePusher) read(in io.Reader, requests chan<- []byte, gone <-chan struct{}) {
	lines := backend.NewLines(in, inputLineMax)
	for {
		line, number, err := lines.Next()
		var request []byte
		switch {
		case errors.Is(err, backend.ErrLineTooLong):
			p.reject(number, "too_large", fmt.Sprintf("longer than %d bytes", inputLineMax))
			continue
		case err != nil:
			p.inputEnded(err)
			return
		}
		if request, err = pushRequest(line, number); err != nil {
			p.reject(number, "bad_json", err.Error())
			continue
		}
		p.mu.Lock()
		p.open[number] = struct{}{}
		p.mu.Unlock()
		select {
		case requests <- request:
		case <-gone:
			return
		}
	}
}

func (p *linePusher) inputEnded(err error) {
	if err == io.EOF {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = fmt.Errorf("reading the input: %w", err)
}

// pushRequest makes a request out of a line of the input. It stays as it is but for the verb, which
// it may say itself, and the ref: with one of its own, or another verb, the field is there twice,
// which the daemon refuses.
func pushRequest(line []byte, number int) ([]byte, error) {
	rest := bytes.TrimLeft(line, " \t\r\n")
	if !bytes.HasPrefix(rest, []byte("{")) {
		return nil, errors.New("not a JSON object")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(rest, &fields); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	request := append(make([]byte, 0, len(rest)+40), `{"ref":`...)
	request = strconv.AppendInt(request, int64(number), 10)
	if string(fields["op"]) != `"push"` {
		request = append(request, `,"op":"push"`...)
	}
	if len(fields) > 0 {
		request = append(request, ',')
	}
	return append(append(request, rest[1:]...), '\n'), nil
}

// write sends the requests as they come, many at once when many are there. Then it ends this side
// of the connection, upon which the daemon answers what is open and ends its own. false: the
// connection broke, or the daemon ended it before.
func (p *linePusher) write(requests <-chan []byte, gone <-chan struct{}) (whole bool) {
	w := bufio.NewWriterSize(p.conn, 64<<10)
	// The first byte of a connection tells its dialect, whatever the input begins with.
	_, err := w.WriteString(`{"op":"ping","ref":0}` + "\n")
	for err == nil {
		if len(requests) == 0 {
			if err = w.Flush(); err != nil {
				break
			}
		}
		select {
		case request, more := <-requests:
			if !more {
				return w.Flush() == nil && p.conn.(*net.UnixConn).CloseWrite() == nil
			}
			_, err = w.Write(request)
		case <-gone:
			return false
		}
	}
	// What the daemon said last is read by hear, which then sees the end too.
	return false
}

// hear takes the answers until the daemon's side ends, and gives the reason when it tells one.
func (p *linePusher) hear() (why error) {
	r := bufio.NewReaderSize(p.conn, 64<<10)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return why
		}
		var a struct {
			Type, Code, Message string
			Ref                 *int
			Duplicate           bool
		}
		if err := json.Unmarshal(line, &a); err != nil {
			return fmt.Errorf("the daemon's line makes no sense: %w", err)
		}
		switch {
		case a.Ref == nil:
			why = fmt.Errorf("%s (%s)", a.Message, a.Code)
		case *a.Ref == 0:
		case a.Type == "error":
			p.reject(*a.Ref, a.Code, a.Message)
		default:
			p.accept(*a.Ref, a.Duplicate)
		}
	}
}

func (p *linePusher) accept(number int, duplicate bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, number)
	p.Accepted++
	if duplicate {
		p.Duplicates++
	}
}

func (p *linePusher) reject(number int, code, message string) {
	p.line.say(fmt.Sprintf("line %d: %s (%s)", number, message, code))
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, number)
	p.Rejected++
}

// progress is what the terminal shows meanwhile.
func (p *linePusher) progress() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("%d accepted, %d rejected, %d waiting", p.Accepted, p.Rejected, len(p.open))
}

// end prints the summary and says how it went. whole: the daemon was given all, and why is what it
// said when it ended the connection.
func (p *linePusher) end(out io.Writer, whole bool, why error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Unanswered = len(p.open)
	summary, err := json.Marshal(p.pushed)
	if err != nil {
		return err
	}
	if _, err := out.Write(append(summary, '\n')); err != nil {
		return err
	}
	if !whole || len(p.open) > 0 {
		return &cliError{exitUnreachable, p.lost(why)}
	}
	if p.failed != nil {
		return p.failed
	}
	if p.Rejected > 0 {
		return &cliError{exitRefused, fmt.Errorf("rejected lines: %d", p.Rejected)}
	}
	return nil
}

// lost says from where on a script has to send again.
func (p *linePusher) lost(why error) error {
	text := "the daemon ended the connection"
	if why != nil {
		text += ": " + why.Error()
	}
	if len(p.open) == 0 {
		return errors.New(text)
	}
	first := 0
	for number := range p.open {
		if first == 0 || number < first {
			first = number
		}
	}
	return fmt.Errorf("%s; lines without an answer: %d, the first is %d", text, len(p.open), first)
}
