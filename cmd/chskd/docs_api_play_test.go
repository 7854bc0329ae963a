package main_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// apiPlay runs the blocks of the reference's templates, and writes down what happened. A line of a
// block marked `play` is one of
//
//	$ ..., > ..., NAME> ..., # ...   as in docPlay: it is done, and shown
//	! ...     a command or what happens besides: it is done, and not shown
//	.         the next line of the last request's stream
//	<         the next line for the backend
//	NAME<     what a client gets next
//	. until X, < until X   the next line that has X in it; what is passed over is shown as ...
//	. end     the rest of an answer, shown as ...
//
// The answer to a request that is no stream is shown without being asked for. What a backend was
// told must all be shown: at the end of a block nothing else may have come. In what is said,
// <epoch>, <consumer>, <seq>, <reply_to> and <next> stand for the latest of those, <long> for 1 KiB
// of text.
type apiPlay struct {
	docPlay
	standIns
	out     []string
	deaf    bool // nobody looks whether the backend was told more: its connection is over
	down    bool // the daemon is on its way down
	follows bool // the last request is for a stream
	rules   map[string]string

	others []*lineBackend // more backends, until the end of the block
}

func newAPIPlay(t *testing.T) *apiPlay {
	doc := readDoc(t, docBackend)
	p := &apiPlay{docPlay: docPlay{T: t, clients: map[string]*docClient{}, codes: docCodes(t, doc)}}
	p.rules = map[string]string{}
	for _, row := range doc.rows(t, "| code | HTTP | what is wrong | what to do |") {
		p.rules[strings.Trim(row[0], "`")] = row[3]
	}
	return p
}

func (p *apiPlay) show(format string, args ...any) {
	p.out = append(p.out, fmt.Sprintf(format, args...))
}

// play runs a block and gives what is shown of it.
func (p *apiPlay) play(where string, b docBlock) []string {
	p.out, p.deaf = nil, false
	for i := 0; i < len(b.lines); i++ {
		p.where = fmt.Sprintf("%s:%d", where, b.first+i)
		line := b.lines[i]
		shown, real := p.latest(line, 0), p.latest(line, 1)
		said, rest, _ := strings.Cut(real, " ")
		switch {
		case said == "!":
			p.hidden(rest)
		case said == "$":
			p.show("%s", shown)
			stdin, n := heredoc(b.lines[i:])
			p.out = append(p.out, b.lines[i+1:i+1+n]...)
			i += n
			p.ask(strings.TrimSuffix(rest, " <<'END'"), stdin)
		case said == ">":
			p.show("%s", shown)
			p.connect()
			p.lines.say("%s", rest)
		case said == "<":
			p.connect()
			p.upTo(p.lines.in, "< ", rest)
		case said == ".":
			p.upTo(p.http, "", rest)
		case said == "#":
			p.show("%s", shown)
			p.hidden(rest)
		case strings.HasSuffix(said, "<") && rest == "":
			p.show("%s %s", said, p.clients[strings.TrimSuffix(said, "<")].next())
		case clientLine.MatchString(real):
			p.show("%s", shown)
			m := clientLine.FindStringSubmatch(real)
			p.client(m[1], m[2], m[3])
		default:
			p.fail("nobody knows what %q is", line)
		}
	}
	if !p.deaf {
		p.nothingElse()
	}
	for _, b := range p.others {
		b.conn.Close()
	}
	p.others = nil
	if p.down {
		p.endRequest()
		p.d, p.lines, p.down = nil, nil, false
	}
	p.endBlock()
	return p.out
}

// nothingElse shows that the backend was told nothing but what the block shows.
func (p *apiPlay) nothingElse() {
	if p.lines == nil {
		return
	}
	p.lines.say(`{"op":"ping","ref":"nothing else"}`)
	if got := p.lines.next(); got != `{"type":"result","ref":"nothing else","status":"ok"}` {
		p.fail("the backend was told more: %s", got)
	}
}

// ask runs a command whose output is shown.
func (p *apiPlay) ask(command, stdin string) {
	words := shellWords(command)
	switch words[0] {
	case "chskd":
		p.serve(words)
		return
	case "printf": // printf WHAT | socat - "UNIX:$SOCK"
		p.bytes(strings.ReplaceAll(words[1], `\n`, "\n"))
		return
	}
	events := strings.HasPrefix(words[1], "v1/events")
	if in, end := p.http, p.stream; p.follows && end != nil && !events {
		p.stream = nil // it goes on
		defer func() {
			p.endRequest()
			p.http, p.stream, p.follows = in, end, true
		}()
	}
	p.follows = events
	p.command(command, stdin)
	p.answer()
}

// answer shows what a request was answered, unless it is a stream or long.
func (p *apiPlay) answer() {
	if p.resp.StatusCode != http.StatusOK {
		p.show("HTTP/1.1 %s", p.resp.Status)
		for _, name := range []string{"Allow", "Retry-After"} {
			if v := p.resp.Header.Get(name); v != "" {
				p.show("%s: %s", name, v)
			}
		}
	}
	if p.resp.ContentLength < 0 || p.resp.ContentLength > 4096 {
		return
	}
	answer, err := io.ReadAll(p.http)
	if err != nil {
		p.fail("%v", err)
	}
	p.show("%s", p.stand(strings.TrimSuffix(string(answer), "\n")))
}

// serve starts a daemon with one event loop, for what is in no order among several.
func (p *apiPlay) serve(words []string) {
	p.endDaemon()
	if words[1] != "serve" || words[2] != "--api-socket" || words[3] != "$SOCK" {
		p.fail("an example's daemon has --api-socket \"$SOCK\" first")
	}
	p.d = startDaemon(p.T, append([]string{"--loops", "1"}, words[4:]...)...)
	p.standIns.restart()
}

// bytes sends something that is no request, and shows what comes until the end.
func (p *apiPlay) bytes(text string) {
	conn, err := net.Dial("unix", p.d.API)
	if err != nil {
		p.fail("%v", err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		p.fail("%v", err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) { // what it did not read is left
		p.fail("%v", err)
	}
	p.show("%s", strings.TrimSuffix(string(answer), "\n"))
}

// upTo reads a line and shows it, or passes lines over as it is told to.
func (p *apiPlay) upTo(in *bufio.Reader, sign, what string) {
	if in == nil {
		p.fail("there is nothing to be read")
	}
	if what == "end" {
		if _, err := io.Copy(io.Discard, in); err != nil {
			p.fail("%v", err)
		}
		p.show("%s...", sign)
		return
	}
	until, passes := strings.CutPrefix(what, "until ")
	for passed := 0; ; passed++ {
		line, err := in.ReadString('\n')
		if err != nil {
			p.fail("%.200q, %v", line, err)
		}
		if passes && !strings.Contains(line, until) {
			continue
		}
		if passed > 0 {
			p.show("%s...", sign)
		}
		p.show("%s%s", sign, p.stand(strings.TrimSuffix(line, "\n")))
		return
	}
}

// hidden does what is not shown, and what comments tell.
func (p *apiPlay) hidden(what string) {
	words := strings.Fields(what)
	verb := strings.Join(words[1:], " ")
	switch {
	case strings.HasPrefix(what, "chskd serve "):
		p.serve(shellWords(what))
	case words[0] == "counter": // NAME VALUE: of the engine or of the backend side
		p.awaitNumber(words[1], words[2])
	case verb == "joins 10,000 topics":
		for i := range 10_000 {
			p.lines.say(`{"op":"join","uid":%q,"topic":"t%d"}`, words[0], i)
		}
		p.nothingElse() // all were read
	case verb == "sends 17 events":
		for i := range 17 {
			p.clients[words[0]].send(fmt.Sprintf("[[:order/place %d] nil]", i+1))
		}
		p.awaitNumber("dropped", "1")
	case verb == "says 1 MiB, and nobody reads":
		p.deaf = true
		text := strings.Repeat("x", 16<<10)
		for range 64 {
			p.clients[words[0]].send(`[[:chat/send "` + text + `"] nil]`)
		}
		p.awaitNumber("cut", "1")
	case what == "64 other backends subscribe":
		for i := range 64 {
			b := speakLines(p.T, p.d)
			b.say(`{"op":"subscribe","group":"g%d"}`, i%8)
			b.next()
			p.others = append(p.others, b)
		}
	case what == "a second backend subscribes":
		b := speakLines(p.T, p.d)
		p.others = append(p.others, b)
		b.say(`{"op":"subscribe","presence":true}`)
	case what == "chskd is told to go down":
		p.deaf = true
		terminate(p.T, p.d)
		waitFor(p.T, func() error {
			status, _ := apiStatus(p.T, p.d, "/readyz", "")
			return differ("readyz", status, http.StatusServiceUnavailable)
		})
		p.down = true
	case verb == "answers the close":
		c := p.clients[words[0]]
		if got := c.next(); got != "close 1001" {
			p.fail("%s got %s", words[0], got)
		}
		c.write(wsClose(1001))
		delete(p.clients, words[0])
	case what == "the backend dies":
		p.endBlock()
	case what == "the connection is closed":
		p.deaf = true
	default:
		p.happens(what)
	}
}

// awaitNumber waits until a number of the stats has a value.
func (p *apiPlay) awaitNumber(name, value string) {
	want := regexp.MustCompile(`"` + name + `":` + value + `[,}]`)
	waitFor(p.T, func() error {
		if got := apiCall(p.T, p.d, "/v1/stats", ""); !want.MatchString(got) {
			return fmt.Errorf("%s: %s is not %s", got, name, value)
		}
		return nil
	})
}

// standIns are what is shown in place of what differs each time: the same for the same, in the
// order in which they came.
type standIns struct {
	shown map[string]string    // by name and real value
	last  map[string][2]string // the latest by name: shown, real
	count map[string]int
	epoch int
}

// restart forgets what a daemon before this one had given; epochs stay different.
func (s *standIns) restart() {
	s.shown, s.count = map[string]string{}, map[string]int{}
	s.last = map[string][2]string{}
}

func (s *standIns) of(name, real string) string {
	shown, known := s.shown[name+real]
	if !known {
		s.count[name]++
		n := s.count[name]
		switch name {
		case "epoch":
			const letters = "ABCDEFGHIJKLMNOP"
			shown = letters[s.epoch:] + letters[:s.epoch]
			s.epoch++
		case "consumer":
			shown = fmt.Sprintf("c%d", n)
		case "reply_to":
			shown = fmt.Sprintf("k0.%d.0123456789abcdef", n)
		case "seq":
			shown = fmt.Sprint(n)
		case "next":
			shown = fmt.Sprintf("1z141z%d", n)
		case "at":
			shown = "2026-01-01T12:00:00.000Z"
		case "uptime_s":
			shown = "1.5"
		case "version":
			shown = "1.0.0"
		}
		s.shown[name+real] = shown
	}
	s.last[name] = [2]string{shown, real}
	return shown
}

// inMessages is where messages tell what differs each time.
var inMessages = regexp.MustCompile(
	`(epoch|this one is|consumer) \\"((?:c\d+|[A-Z2-7]{16}))\\"|(above|event) (\d+)`)

// stand puts the stand-ins into a line.
func (s *standIns) stand(line string) string {
	line = docVolatile.ReplaceAllStringFunc(line, func(whole string) string {
		m := docVolatile.FindStringSubmatch(whole)
		i := 1
		for m[i] == "" {
			i += 2
		}
		before, after, _ := strings.Cut(whole, ":")
		return before + ":" + strings.Replace(after, m[i+1], s.of(m[i], m[i+1]), 1)
	})
	line = inMessages.ReplaceAllStringFunc(line, func(whole string) string {
		m := inMessages.FindStringSubmatch(whole)
		name, value := m[1], m[2]
		switch {
		case value == "":
			name, value = "seq", m[4]
		case name == "this one is":
			name = "epoch"
		}
		return strings.Replace(whole, value, s.of(name, value), 1)
	})
	return allCounters.ReplaceAllString(line, `"counters":{...}`)
}

// latest puts the latest of <epoch> and so on into what is said: as shown (0) or real (1).
func (s *standIns) latest(line string, which int) string {
	for name, values := range s.last {
		line = strings.ReplaceAll(line, "<"+name+">", values[which])
	}
	long := [2]string{"xxx...", strings.Repeat("x", 1024)}
	return strings.ReplaceAll(line, "<long>", long[which])
}

var allCounters = regexp.MustCompile(`"counters":\{[^}]*\}`)
