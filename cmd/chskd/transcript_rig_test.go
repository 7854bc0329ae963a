package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// rig is the application behind the recorded server, as the recordings show it, written as a
// backend of chskd's Unix socket that takes events as edn and answers in edn.
type rig struct {
	t      testing.TB
	client *http.Client
	zoo    answer // the reply to :test/zoo

	mu     sync.Mutex
	seen   []string // what it was given, as the recorded server logged it
	failed []string
}

// rigEvent is one line of the stream.
type rigEvent struct {
	Type    string `json:"type"`
	UID     string `json:"uid"`
	Client  string `json:"client"`
	EDN     string `json:"edn"`
	Transit json.RawMessage
	ReplyTo string `json:"reply_to"`
}

// text is the event as edn, whatever it came in.
func (e *rigEvent) text() (string, error) {
	if e.Transit != nil {
		return readTransit(e.Transit)
	}
	return e.EDN, nil
}

// data is the event's data as it came, to be sent back.
func (e *rigEvent) data(edn string) (answer, error) {
	if e.Transit == nil {
		return answer{"edn", edn}, nil
	}
	// Nothing in a stream refers to what came before.
	var event []json.RawMessage
	if err := json.Unmarshal(e.Transit, &event); err != nil || len(event) < 2 {
		return answer{"edn", "nil"}, err
	}
	return answer{"transit", event[1]}, nil
}

// startRig connects to the API socket and returns once it is given events.
func startRig(t testing.TB, socket, format string, zoo answer) *rig {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	transport := &http.Transport{DialContext: dial}
	r := &rig{t: t, zoo: zoo, client: &http.Client{Transport: transport}}
	ctx, cancel := context.WithCancel(context.Background())
	stream := "http://chskd/v1/events?format=" + format
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, stream, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	lines := json.NewDecoder(resp.Body)
	var hello rigEvent
	if err := lines.Decode(&hello); err != nil || hello.Type != "hello" {
		cancel()
		t.Fatalf("no hello: %+v, %v", hello, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.serve(lines)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = resp.Body.Close() // the stream was cancelled
		transport.CloseIdleConnections()
	})
	return r
}

func (r *rig) serve(lines *json.Decoder) {
	for {
		var e rigEvent
		if lines.Decode(&e) != nil {
			return
		}
		text, err := e.text()
		if err != nil {
			r.fail("not readable: %v", err)
			continue
		}
		switch e.Type {
		case "event":
			r.note(&e, text)
			r.handle(&e, text)
		case "bad-event":
			r.note(&e, "[:chsk/bad-event "+text+"]")
		}
	}
}

// handle does what the recorded application did for each event id.
func (r *rig) handle(e *rigEvent, text string) {
	event, err := elementsEDN(text)
	if err != nil || len(event) == 0 {
		r.fail("not an event: %s", text)
		return
	}
	data := "nil"
	if len(event) > 1 {
		data = event[1]
	}
	switch event[0] {
	case ":test/echo":
		same, err := e.data(data)
		if err != nil {
			r.fail("not an event: %v", err)
		}
		r.reply(e, same)
	case ":test/zoo":
		r.reply(e, r.zoo)
	case ":test/whoami":
		r.reply(e, answer{"edn", fmt.Sprintf("{:uid %q, :client-id %q}", e.UID, e.Client)})
	case ":test/slow":
		r.replyLate(e, data)
	case ":test/push":
		r.push(map[string]any{"uid": e.UID, "edn": "[:test/pushed " + data + "]"})
	case ":test/push-flush":
		r.push(map[string]any{"uid": e.UID, "edn": "[:test/pushed " + data + "]", "flush": true})
	case ":test/push-me":
		r.pushMany(e, data)
	case ":test/broadcast":
		r.push(map[string]any{"all": true, "edn": "[:test/bcast " + data + "]"})
	case ":test/close-me":
		r.post("/v1/close", "application/json", map[string]any{"uid": e.UID, "code": 1000})
	}
}

// pushMany answers [n pad] with n events: the first alone, the others in one request, so that it
// does not depend on the machine which of them find the batch window open. It begins when the window
// of what was pushed before has ended.
func (r *rig) pushMany(e *rigEvent, data string) {
	args, err := elementsEDN(data)
	if err != nil || len(args) != 2 {
		r.fail("not [n pad]: %s", data)
		return
	}
	n, err1 := strconv.Atoi(args[0])
	pad, err2 := strconv.Atoi(args[1])
	if err1 != nil || err2 != nil {
		r.fail("not [n pad]: %s", data)
		return
	}
	pushes := make([]any, n)
	for i := range pushes {
		event := fmt.Sprintf("[:test/pushed {:i %d, :pad %q}]", i, strings.Repeat("x", pad))
		pushes[i] = map[string]any{"uid": e.UID, "edn": event}
	}
	const window = 100 * time.Millisecond // over Ajax; over WebSocket it is shorter
	time.Sleep(2 * window)
	r.push(pushes[:1]...)
	r.push(pushes[1:]...)
}

func (r *rig) replyLate(e *rigEvent, data string) {
	ms, err := strconv.Atoi(data)
	if err != nil {
		r.fail("not milliseconds: %s", data)
		return
	}
	late := *e
	time.AfterFunc(time.Duration(ms)*time.Millisecond, func() {
		r.reply(&late, answer{"edn", "[:slow " + data + "]"})
	})
}

// answer is a value in one of the API's formats: edn as a string, transit as JSON.
type answer struct {
	format string
	value  any
}

func (r *rig) reply(e *rigEvent, a answer) {
	if e.ReplyTo != "" {
		reply := map[string]any{"reply_to": e.ReplyTo, a.format: a.value}
		r.post("/v1/reply", "application/json", reply)
	}
}

func (r *rig) push(pushes ...any) {
	contentType := "application/json"
	if len(pushes) > 1 {
		contentType = "application/x-ndjson"
	}
	r.post("/v1/push", contentType, pushes...)
}

// post expects 200. A reply may come after its run is over: then nobody is there to take it.
func (r *rig) post(path, contentType string, objects ...any) {
	var body bytes.Buffer
	lines := json.NewEncoder(&body)
	for _, o := range objects {
		if err := lines.Encode(o); err != nil {
			r.fail("%v", err)
			return
		}
	}
	text := body.String()
	resp, err := r.client.Post("http://chskd"+path, contentType, &body)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK && path != "/v1/reply" {
		r.fail("%s %s: %s %s", path, text, resp.Status, answer)
	}
}

func (r *rig) fail(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, fmt.Sprintf(format, args...))
}

func (r *rig) note(e *rigEvent, event string) {
	cb := "-"
	if e.ReplyTo != "" {
		cb = "cb"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, seenLine(e.UID, e.Client, event, cb))
}

func seenLine(uid, client, event, cb string) string {
	value, err := canonEDN(event)
	if err != nil {
		value = err.Error()
	}
	return strings.Join([]string{uid, client, value, cb}, " ")
}

// result gives what went wrong and what was seen.
func (r *rig) result() (failed, seen []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed, r.seen
}

// javaInstant is how the recorded server logged an instant that came as msgpack.
var javaInstant = regexp.MustCompile(`#object\[java\.time\.Instant 0x[0-9a-f]+ ("[^"]+")\]`)

var logLine = regexp.MustCompile(`(?m)^\d{13} (\S+) (\S+) (.*) (cb|-)$`)

// logged gives what the recorded application was given. Presence is left out, for the log also has
// that of other recordings; so are pings and pongs, which chskd answers where they arrive.
func (r *recording) logged() []string {
	var lines []string
	for _, m := range logLine.FindAllStringSubmatch(r.ServerLog, -1) {
		event := m[3]
		switch {
		case strings.HasPrefix(event, "[:chsk/uidport-"):
		case event == "[:chsk/ws-ping]", event == "[:chsk/ws-pong]":
		case event == "[:chsk/bad-event (:chsk/ws-ping)]":
		default:
			event = javaInstant.ReplaceAllString(event, "#inst $1")
			lines = append(lines, seenLine(m[1], m[2], event, m[4]))
		}
	}
	return lines
}
