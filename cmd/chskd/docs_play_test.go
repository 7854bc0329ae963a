package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The examples of docs/backend.md, played: every fenced block marked `console`, in the order in
// which they stand. A line of a block is one of
//
//	$ chskd serve ...       a daemon; the examples after it speak to this one
//	$ api PATH [options]    a request, as curl makes it; what follows is its answer, or its stream
//	> {...}                 a backend says a line; the first one of a block opens its connection
//	< {...}                 and hears one
//	NAME> [...]             a client sends a message over its WebSocket
//	NAME< [...]             and gets an event, an answer or a close frame
//	# ...                   what happens besides, see happens
//	anything else           a line of the answer, or of the stream, of the last $ api
//
// Connections end with their block, clients with their daemon. Where an answer holds what differs
// each time, it is compared by its shape; see docs_shape_test.go.

// docPlay is what the examples have made so far.
type docPlay struct {
	*testing.T
	d       *daemon
	clients map[string]*docClient
	shapes  docShapes
	codes   map[string]docCode // of the table of errors
	where   string             // file:line of the example

	// Of the block.
	resp   *http.Response // the answer to the last $ api, and
	http   *bufio.Reader  // its body, or stream
	stream func()         // ends it; nil = there is none
	lines  *lineBackend
}

// docClient is a client over WebSocket; got are the events of its last batch that no example has
// told yet.
type docClient struct {
	*wsClient
	got []string
}

func (p *docPlay) fail(format string, args ...any) {
	p.Helper()
	p.Fatalf("%s: %s", p.where, fmt.Sprintf(format, args...))
}

var clientLine = regexp.MustCompile(`^([a-z]+)([<>]) (.*)$`)

func (p *docPlay) block(b docBlock) {
	for i := 0; i < len(b.lines); i++ {
		p.where = fmt.Sprintf("%s:%d", docBackend, b.first+i)
		line := b.lines[i]
		said, rest, _ := strings.Cut(line, " ")
		switch {
		case said == "$":
			stdin, n := heredoc(b.lines[i:])
			i += n
			p.command(strings.TrimSuffix(rest, " <<'END'"), stdin)
		case said == ">":
			p.connect()
			p.lines.say("%s", p.shapes.real(rest))
		case said == "<":
			p.connect()
			p.same(p.lines.next(), rest)
		case said == "#":
			p.happens(rest)
		case clientLine.MatchString(line):
			m := clientLine.FindStringSubmatch(line)
			p.client(m[1], m[2], m[3])
		default:
			p.answered(line)
		}
	}
	p.endBlock()
}

// heredoc gives what stands between a command that ends with <<'END' and that word, and how many
// lines it took.
func heredoc(lines []string) (stdin string, n int) {
	if !strings.HasSuffix(lines[0], " <<'END'") {
		return "", 0
	}
	n = slices.Index(lines, "END")
	return strings.Join(lines[1:n], "\n") + "\n", n
}

func (p *docPlay) command(command, stdin string) {
	words := shellWords(command)
	switch {
	case words[0] == "chskd" && words[1] == "serve":
		p.endDaemon()
		if words[2] != "--api-socket" || words[3] != "$SOCK" {
			p.fail("an example's daemon has --api-socket \"$SOCK\" first")
		}
		p.d = startDaemon(p.T, words[4:]...)
	case words[0] == "api":
		p.request(words[1], words[2:], stdin)
	default:
		p.fail("nobody knows how to run %q", words[0])
	}
}

// request makes a request as curl does with its options -d, --data-binary @- and -H.
func (p *docPlay) request(path string, options []string, stdin string) {
	p.endRequest()
	method, body, kind := http.MethodGet, "", ""
	for ; len(options) > 0; options = options[2:] {
		switch name, value := options[0], options[1]; {
		case name == "-d" || name == "--data-binary":
			method, body = http.MethodPost, value
			if value == "@-" {
				body = stdin
			}
			if kind == "" {
				kind = "application/x-www-form-urlencoded"
			}
		case name == "-H" && strings.HasPrefix(value, "content-type: "):
			kind = strings.TrimPrefix(value, "content-type: ")
		default:
			p.fail("nobody knows the option %s", name)
		}
	}
	req, err := http.NewRequest(method, "http://chskd/"+path, strings.NewReader(p.shapes.real(body)))
	if err != nil {
		p.fail("%v", err)
	}
	req.Header.Set("Content-Type", kind)
	resp, err := apiClient(p.d).Do(req)
	if err != nil {
		p.fail("%v", err)
	}
	p.resp, p.http = resp, bufio.NewReader(resp.Body)
	p.stream = func() {
		defer resp.Body.Close()
		if resp.ContentLength < 0 {
			return
		}
		if rest, err := io.ReadAll(p.http); err != nil || len(rest) > 0 {
			p.fail("the answer has more: %.300q, %v", rest, err)
		}
	}
	p.status(resp)
}

// status compares the status of an answer with that of its code in the table of errors.
func (p *docPlay) status(resp *http.Response) {
	if resp.StatusCode == http.StatusOK {
		return
	}
	answer, err := p.http.Peek(p.http.Buffered())
	if len(answer) == 0 {
		if _, err = p.http.Peek(1); err == nil {
			answer, err = p.http.Peek(p.http.Buffered())
		}
	}
	m := regexp.MustCompile(`"code":"([a-z_]+)"`).FindSubmatch(answer)
	if m == nil {
		p.fail("%s %s, %v", resp.Status, answer, err)
	}
	if c := p.codes[string(m[1])]; !slices.Contains(c.statuses, resp.StatusCode) {
		p.fail("%s is answered %d, the table says %v", m[1], resp.StatusCode, c.statuses)
	}
}

func (p *docPlay) answered(want string) {
	if p.http == nil {
		p.fail("nobody says %q", want)
	}
	got, err := p.http.ReadString('\n')
	if err != nil {
		p.fail("instead of %s: %q, %v", want, got, err)
	}
	p.same(strings.TrimSuffix(got, "\n"), want)
}

// same compares a line with what the document says.
func (p *docPlay) same(got, want string) {
	p.Helper()
	if err := p.shapes.compare(got, want); err != nil {
		p.fail("%v\n the daemon: %s\nthe example: %s", err, got, want)
	}
}

func (p *docPlay) connect() {
	if p.lines == nil {
		p.lines = speakLines(p.T, p.d)
	}
}

func (p *docPlay) client(name, way, message string) {
	c := p.clients[name]
	switch {
	case c == nil:
		p.fail("%s is not connected", name)
	case way == ">":
		c.send(message)
	default:
		if got := c.next(); got != message {
			p.fail("%s got %s, not %s", name, got, message)
		}
	}
}

// next is one event, one answer to an event, or a close frame.
func (c *docClient) next() string {
	for len(c.got) == 0 {
		switch frame := c.frame(); {
		case strings.HasPrefix(frame, "close"):
			return frame
		case frame == "text [:chsk/ws-ping nil]":
		case strings.HasPrefix(frame, "text [[") && strings.HasSuffix(frame, " nil]"):
			c.got = batchEvents(c.t, strings.TrimPrefix(frame, "text "))
		case strings.HasPrefix(frame, "text "):
			return strings.TrimPrefix(frame, "text ")
		default:
			c.t.Fatalf("a client got %.100s", frame)
		}
	}
	first := c.got[0]
	c.got = c.got[1:]
	return first
}

// happens does what a comment of an example says.
func (p *docPlay) happens(what string) {
	name, _, _ := strings.Cut(what, " ")
	switch strings.TrimPrefix(what, name+" ") {
	case "connects":
		c := connectWS(p.T, p.d, name+"-tab", "&uid="+name)
		p.clients[name] = &docClient{wsClient: c}
		(&backend{p.T, p.d}).awaitClient(name)
	case "goes away":
		p.nothingLeft(name)
		p.clients[name].leave()
		delete(p.clients, name)
		userIs(p.T, p.d, "uid="+name, 0, 0)
	case "was closed":
		delete(p.clients, name)
	case "backend dies":
		p.endBlock()
	default:
		p.fail("nobody knows how %q happens", what)
	}
}

// nothingLeft shows that a client got nothing but what the examples say: the next is what is
// pushed now.
func (p *docPlay) nothingLeft(name string) {
	p.Helper()
	pushEDN(p.T, p.d, fmt.Sprintf(`"uid":%q`, name), "[:docs/last nil]")
	if got := p.clients[name].next(); got != "[:docs/last nil]" {
		p.fail("%s got something besides: %s", name, got)
	}
}

func (p *docPlay) endRequest() {
	if p.stream != nil {
		p.stream()
		p.stream, p.http = nil, nil
	}
}

// endBlock ends the block's connections, and waits until the daemon has seen it.
func (p *docPlay) endBlock() {
	p.endRequest()
	if p.lines != nil {
		p.lines.conn.Close()
		p.lines = nil
	}
	if p.d != nil {
		consumersAre(p.T, p.d, 0)
	}
}

func (p *docPlay) endDaemon() {
	for name := range p.clients {
		p.nothingLeft(name)
		delete(p.clients, name)
	}
}
