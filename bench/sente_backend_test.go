package bench_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// The API socket of the small server as push and echo need it: lines and requests of many pushes.

// sniffed gives connections that begin with a brace to lines and the others on.
type sniffed struct {
	net.Listener
	lines func(conn net.Conn, r *bufio.Reader)
}

func (l *sniffed) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		r := bufio.NewReader(c)
		if first, err := r.Peek(1); err != nil || first[0] != '{' {
			return &peeked{c, r}, nil
		}
		go l.lines(c, r)
	}
}

type peeked struct {
	net.Conn
	r io.Reader
}

func (c *peeked) Read(b []byte) (int, error) { return c.r.Read(b) }

// echoState is the subscribed backend and the events that wait for its replies.
type echoState struct {
	mu    sync.Mutex
	to    net.Conn
	seq   int
	acks  int64 // the last one
	waits map[string]waiting
}

type waiting struct {
	peer *peer
	cb   string
}

// order is a line of a backend, or of a request of many pushes.
type order struct {
	Op, UID, EDN    string
	Event, Value    json.RawMessage
	Group, Format   string
	IDs             []string
	Ack             bool
	Seq             int64
	Epoch, Consumer string
	ReplyTo         string `json:"reply_to"`
	Flush           bool
	All             bool
	Ref             int
}

func (o *order) event() []byte {
	if o.EDN != "" {
		return []byte(o.EDN)
	}
	return o.Event
}

func (s *sente) serveLines(c net.Conn, r *bufio.Reader) {
	defer c.Close()
	for number := 1; ; number++ {
		line, err := r.ReadBytes('\n')
		if err != nil {
			break
		}
		var o order
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&o); err != nil {
			fmt.Fprintf(c, `{"type":"error","line":%d,"code":"bad_json","message":%q}`+"\n", number,
				err.Error())
			continue
		}
		switch o.Op {
		case "push":
			if said := s.pushOne(&o, number); said != "" {
				fmt.Fprintln(c, said)
			}
		case "subscribe":
			s.subscribe(c, &o)
		case "reply":
			s.reply(&o)
		case "ack":
			s.echo.mu.Lock()
			if o.Epoch == "e1" && o.Consumer == "c1" {
				s.echo.acks = o.Seq
			}
			s.echo.mu.Unlock()
		}
	}
	if s.fault == "no end" {
		r.ReadByte()
		select {}
	}
}

// pushOne gives an event to the user's connection, and says what a backend is told of it.
func (s *sente) pushOne(o *order, number int) (said string) {
	switch {
	case s.fault == "reject" && number == 3:
		return fmt.Sprintf(`{"type":"error","line":%d,"code":"bad_event","message":"no"}`, number)
	case s.fault == "push junk":
		return "Hello"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.peers {
		if p.uid == o.UID {
			p.count++
			s.deliver(p, o.event(), p.count)
		}
	}
	return ""
}

// servePushes is POST /v1/push with one object a line.
func (s *sente) servePushes(w http.ResponseWriter, r *http.Request) {
	accepted, rejected := 0, 0
	lines := json.NewDecoder(r.Body)
	for number := 1; ; number++ {
		var o order
		if lines.Decode(&o) != nil {
			break
		}
		if s.pushOne(&o, number) == "" {
			accepted++
		} else {
			rejected++
		}
	}
	switch s.fault {
	case "push 503":
		http.Error(w, `{"error": {"code": "full"}}`, http.StatusServiceUnavailable)
	case "push junk":
		w.Write([]byte("Hello"))
	case "miscounted":
		fmt.Fprintf(w, `{"accepted": %d, "rejected": 0, "errors": []}`, accepted-1)
	case "reject":
		fmt.Fprintf(w, `{"accepted": %d, "rejected": %d, "errors": [{"line": 3, "code": "bad_event", `+
			`"message": "no"}]}`, accepted, rejected)
	default:
		fmt.Fprintf(w, `{"accepted": %d, "rejected": %d, "errors": []}`, accepted, rejected)
	}
}

func (s *sente) subscribe(c net.Conn, o *order) {
	s.echo.mu.Lock()
	defer s.echo.mu.Unlock()
	if s.fault == "subscribe refused" || !strings.HasPrefix(o.Group, "bench-") ||
		len(o.IDs) != 1 || o.IDs[0] != "bench/echo" || (o.Format == "json") != s.json {
		fmt.Fprintf(c, `{"type":"error","ref":%d,"code":"bad_field","message":"no"}`+"\n", o.Ref)
		return
	}
	s.echo.to, s.echo.waits = c, make(map[string]waiting)
	fmt.Fprintf(c, `{"type":"result","ref":%d,"status":"ok"}`+"\n"+
		`{"type":"hello","api":1,"epoch":"e1","consumer":"c1"}`+"\n", o.Ref)
}

// asksEcho tells the backend of an event that wants an echo.
func (s *sente) asksEcho(p *peer, text []byte) bool {
	inner, ok := bytes.CutPrefix(text, s.text(`[[:bench/echo`, `[["bench/echo"`))
	if !ok {
		return false
	}
	event, cb, ok := strings.Cut(string(inner), string(s.text(`] "`, `],"`)))
	if !ok {
		return false
	}
	e := &s.echo
	e.mu.Lock()
	defer e.mu.Unlock()
	cb = strings.TrimSuffix(cb, `"]`)
	switch {
	case s.fault == "no reply" && p.first:
		return true
	case s.fault == "nobody answers" && p.first:
		p.write(fmt.Appendf(nil, `[:chsk/error "%s"]`, cb))
		return true
	case e.to == nil: // the application itself answers
		p.write(fmt.Appendf(nil, `[%s%s"%s"]`, strings.Trim(event, " ,"), s.text(" ", ","), cb))
		return true
	case s.fault == "backend gap" && e.seq == 3:
		fmt.Fprintln(e.to, `{"type":"gap","missed":1}`)
	}
	if e.seq++; s.fault == "same seq" && e.seq == 4 {
		e.seq = 3
	}
	token := fmt.Sprintf("k%p.%s", p, cb)
	e.waits[token] = waiting{p, cb}
	member := string(s.text(`"edn":"[:bench/echo`, `"event":["bench/echo"`))
	if !s.json {
		event = strings.ReplaceAll(event, `"`, `\"`)
	}
	end := string(s.text(`]"`, `]`))
	fmt.Fprintf(e.to, `{"type":"event","seq":%d,"uid":"%s","client":"c","transport":"ws",%s%s%s,`+
		`"reply_to":"%s","at":"2026-01-01T00:00:00.000Z"}`+"\n", e.seq, p.uid, member, event, end, token)
	return true
}

// reply gives the backend's value to whoever waits for it.
func (s *sente) reply(o *order) {
	s.echo.mu.Lock()
	w, ok := s.echo.waits[o.ReplyTo]
	delete(s.echo.waits, o.ReplyTo)
	s.echo.mu.Unlock()
	if !ok {
		return
	}
	value := []byte(o.EDN)
	if s.json {
		value = o.Value
	}
	if s.fault == "wrong reply" && w.peer.first {
		value = []byte(`"something else"`)
	}
	w.peer.write(fmt.Appendf(nil, `[%s%s"%s"]`, value, s.text(" ", ","), w.cb))
}
