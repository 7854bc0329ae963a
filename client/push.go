package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// EDN is a value in edn, as `{:text "hi"}`. It carries every value that a Sente client can.
type EDN string

// Transit is a value in transit's JSON, which carries every value that a Sente client can too.
type Transit json.RawMessage

// Push is one event on its way to users.
//
// Exactly one of these says to whom: UID, NilUID (both with or without Client), UIDs, Topic, All.
// Exactly one says what: Event (with or without Data), EDN, Transit.
type Push struct {
	Tenant string   // "" = the default one
	UID    string   // a user
	UIDs   []string // or several
	NilUID bool     // or the users without uid
	Client string   // only this client-id of the user
	Topic  string   // or the members of this topic
	All    bool     // or every user of the tenant
	Except []string // with Topic or All: but not these uids

	Event      string  // the event's id without colon, as "chat/message"
	Data       any     // as encoding/json writes it, nil = none; a [json.RawMessage] as it is
	StringKeys bool    // the keys of JSON objects arrive as strings, not as keywords
	EDN        EDN     // or the whole event, as `[:chat/message {:text "hi"}]`
	Transit    Transit // or the whole event, as `["~:chat/message", ["^ ", "~:text", "hi"]]`

	Flush bool          // it leaves at once, with what waits for the batch window
	Key   string        // takes the place of an older push of the same receivers and key that waits
	TTL   time.Duration // 0 = no end; else 1 ms to 1 h: not sent after that

	// ID makes a push that is made again, by this or another client, one: chskd remembers ids for
	// 5 minutes, and at most 100,000 of them. "" = the client numbers the push itself.
	ID string
}

// Pushed is what is known of a push when the daemon has taken it.
type Pushed struct {
	// Sessions that the event was put to. 0 = nobody was there. After Duplicate it is not known.
	Sessions int
	// Duplicate: it had been taken before. The answer to that was lost, or ID was used twice.
	Duplicate bool
}

// Push pushes an event and waits for the daemon's word that it has taken it. One that finds no
// connection waits for one. When ctx ends first the push was not made, unless the error is
// [ErrUnanswered] too. An [*Error] says why the daemon refused it.
func (c *Client) Push(ctx context.Context, p Push) (Pushed, error) {
	w := waiters.Get().(*waiter)
	r, err := c.fill(ctx, &p, true)
	if err != nil {
		return Pushed{}, err
	}
	r.done = w.pushed
	if err := c.await(ctx, r, w.over); err != nil {
		return Pushed{}, err
	}
	pushed, err := w.result, w.err
	waiters.Put(w)
	return pushed, err
}

// waiter waits for the answer to a push. It is used again only when the answer has come.
type waiter struct {
	over   chan struct{}
	pushed func(answer)
	result Pushed
	err    error
}

var waiters = sync.Pool{New: func() any {
	w := &waiter{over: make(chan struct{}, 1)}
	w.pushed = func(a answer) {
		w.result, w.err = parsePushed(a.rest), a.err
		w.over <- struct{}{}
	}
	return w
}}

// PushAsync makes a push and does not wait for the answer, so that many can be under way: hundreds
// of thousands a second. It waits only while too many are ([Options].Pending), which ctx bounds.
//
// done is told what became of it, in the order of the answers, by the client's goroutine: it must
// be quick and must not call the client. It may be nil: then [Client.Flush] tells what failed.
// When PushAsync gives an error the push was not made, and done is not called.
func (c *Client) PushAsync(ctx context.Context, p Push, done func(Pushed, error)) error {
	r, err := c.fill(ctx, &p, done != nil)
	if err != nil {
		return err
	}
	if done != nil {
		r.done = func(a answer) { done(parsePushed(a.rest), a.err) }
	}
	_, err = c.q.open(r)
	return err
}

// fill makes a push a request.
func (c *Client) fill(ctx context.Context, p *Push, count bool) (*request, error) {
	r, err := c.q.take(ctx)
	if err != nil {
		return nil, err
	}
	e := encoder{b: r.line}
	e.push(p)
	e.flag("count", count)
	if r.line, r.numbered = e.b, p.ID == ""; e.err != nil {
		c.q.drop(r)
		return nil, e.err
	}
	return r, nil
}

func (e *encoder) push(p *Push) {
	e.op("push")
	e.user(p.Tenant, p.UID, p.NilUID, p.Client)
	e.texts("uids", p.UIDs)
	e.text("topic", p.Topic)
	e.flag("all", p.All)
	e.texts("except", p.Except)
	e.event(p)
	e.flag("flush", p.Flush)
	e.text("key", p.Key)
	if p.TTL != 0 {
		e.number("ttl_ms", max(1, int64((p.TTL+time.Millisecond-1)/time.Millisecond)))
	}
	e.text("id", p.ID)
}

func (e *encoder) event(p *Push) {
	switch {
	case p.Event != "" && p.EDN == "" && p.Transit == nil:
		e.name("event")
		e.b = append(e.b, '[')
		e.quote("Event", p.Event)
		if p.Data != nil {
			e.b = append(e.b, ',')
			e.json(p.Data)
		}
		e.b = append(e.b, ']')
		if p.StringKeys {
			e.text("keys", "string")
		}
	case p.Event == "" && p.Data == nil && p.EDN != "" && p.Transit == nil:
		e.value("", p.EDN)
	case p.Event == "" && p.Data == nil && p.EDN == "" && p.Transit != nil:
		e.value("", p.Transit)
	default:
		e.fail("one of Event (with Data), EDN and Transit says what is pushed")
	}
}

// parsePushed reads what is behind the ref of a push's result.
func parsePushed(rest []byte) (p Pushed) {
	const sessions = `,"status":"ok","sessions":`
	if bytes.HasPrefix(rest, []byte(sessions)) {
		p.Sessions, _, _ = leadingInt(rest[len(sessions):])
		return p
	}
	p.Duplicate = bytes.Contains(rest, []byte(`"duplicate":true`))
	return p
}

// await opens a request and waits for its end. When ctx ends first the request is taken back, if
// that is still possible.
func (c *Client) await(ctx context.Context, r *request, over <-chan struct{}) error {
	n, err := c.q.open(r)
	if err != nil {
		return err
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
	}
	if c.q.withdraw(r, n) {
		return fmt.Errorf("client: there was no connection: %w", ctx.Err())
	}
	select {
	case <-over: // it came in this moment
		return nil
	default:
		return fmt.Errorf("%w: %w", ErrUnanswered, ctx.Err())
	}
}
