package demo

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"
	"unicode/utf8"
)

// The backend in one picture: one goroutine reads the stream and answers each event in turn, so
// that messages keep the order in which chskd gave them; a second one tells who is online.
//
//	GET /v1/events --> backend.handle --> POST /v1/push, /v1/reply
//	                        |
//	                        +--> board.changed --> GET /v1/connected --> POST /v1/push

const (
	retryMin = 100 * time.Millisecond
	retryMax = 5 * time.Second

	// textMax is in bytes; the page lets people write 2,000 characters.
	textMax = 8000
)

// event is one line of the stream.
type event struct {
	Type    string            `json:"type"`
	UID     string            `json:"uid"`
	Event   []json.RawMessage `json:"event"`
	ReplyTo string            `json:"reply_to"`
}

type backend struct {
	api   *api
	board *board
	logf  func(string, ...any)
}

// Run is the demo's backend: it serves chat pages through the API socket until ctx ends, and then
// returns nil. When the stream ends it comes back, at once at first and then ever later, up to
// 5 s. Trouble is told to logf.
func Run(ctx context.Context, socketPath string, logf func(string, ...any)) error {
	a := newAPI(socketPath)
	defer a.close()
	b := &backend{api: a, board: newBoard(a, logf), logf: logf}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.board.run(ctx)
	}()
	defer func() { <-done }()

	for retry := retryMin; ; retry = min(2*retry, retryMax) {
		started := time.Now()
		err := b.stream(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(started) > retryMax {
			retry = retryMin
		}
		logf("demo: stream ended: %v; again in %v", err, retry)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retry):
		}
	}
}

// stream reads events until there are no more.
func (b *backend) stream(ctx context.Context) error {
	body, err := b.api.events(ctx)
	if err != nil {
		return err
	}
	defer body.Close()
	lines := json.NewDecoder(body)
	for {
		var e event
		if err := lines.Decode(&e); err != nil {
			if errors.Is(err, io.EOF) {
				return errors.New("closed by chskd")
			}
			return err
		}
		if err := b.handle(ctx, &e); err != nil {
			b.logf("demo: %v", err)
		}
	}
}

func (b *backend) handle(ctx context.Context, e *event) error {
	switch e.Type {
	case "open", "close", "live", "resync":
		b.board.changed()
	case "event":
		return b.answer(ctx, e)
	}
	return nil
}

// answer does what one event of a page asks for.
func (b *backend) answer(ctx context.Context, e *event) error {
	var id string
	if len(e.Event) == 0 || json.Unmarshal(e.Event[0], &id) != nil {
		return nil
	}
	switch id {
	case "chat/send":
		return b.send(ctx, e)
	case "chat/hello", "chat/who":
		// A page says hello when it has connected, perhaps over the other transport than before.
		b.board.changed()
		people, err := b.board.people(ctx)
		if err != nil {
			return err
		}
		return b.reply(ctx, e, people)
	case "chat/ping":
		return b.reply(ctx, e, map[string]any{"pong": "pong"})
	}
	return nil
}

// send gives one message to everybody, the sender included.
func (b *backend) send(ctx context.Context, e *event) error {
	var said struct {
		Text string `json:"text"`
	}
	if len(e.Event) < 2 || json.Unmarshal(e.Event[1], &said) != nil || said.Text == "" {
		return nil
	}
	err := b.api.pushAll(ctx, "chat/message", map[string]any{
		"from": e.UID,
		"text": clip(said.Text),
		"at":   time.Now().UnixMilli(),
	})
	if err != nil {
		return err
	}
	return b.reply(ctx, e, map[string]any{"ok": true})
}

func (b *backend) reply(ctx context.Context, e *event, value any) error {
	if e.ReplyTo == "" {
		return nil
	}
	return b.api.reply(ctx, e.ReplyTo, value)
}

// clip shortens a text to textMax bytes at a character's border.
func clip(text string) string {
	if len(text) <= textMax {
		return text
	}
	n := textMax
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
