package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"time"
)

// Who names a user, or one of its sessions.
type Who struct {
	Tenant string
	UID    string
	NilUID bool   // the users without uid, instead of UID
	Client string // "" = all sessions of the user; else only this client-id
}

// ask makes a request and reads the members of its answer into v, unless that is nil.
func (c *Client) ask(ctx context.Context, v any, fill func(*encoder)) error {
	r, err := c.q.take(ctx)
	if err != nil {
		return err
	}
	e := encoder{b: r.line}
	fill(&e)
	if r.line = e.b; e.err != nil {
		c.q.drop(r)
		return e.err
	}
	over := make(chan struct{})
	var failure error
	var told []byte
	r.done = func(a answer) {
		if failure = a.err; a.err == nil && v != nil && len(a.rest) > 1 {
			told = append([]byte{'{'}, a.rest[1:]...) // a comma is before the members
		}
		close(over)
	}
	if err := c.await(ctx, r, over); err != nil {
		return err
	}
	if failure != nil || v == nil {
		return failure
	}
	if err := json.Unmarshal(told, v); err != nil {
		return fmt.Errorf("client: the daemon's answer: %w", err)
	}
	return nil
}

// Reply answers an event whose client waits for that, once: replyTo is the event's ReplyTo. value
// is anything that encoding/json writes, an [EDN] or a [Transit]. After a reconnect it may have been
// given although it fails, see [Error].Resent.
func (c *Client) Reply(ctx context.Context, replyTo string, value any) error {
	return c.ask(ctx, nil, func(e *encoder) {
		e.op("reply")
		e.text("reply_to", replyTo)
		e.value("value", value)
	})
}

// CloseSessions ends sessions by a close code of RFC 6455 §7.4 (1000, 3000 to 4999, ...; 0 = 1000)
// and a reason of at most 123 bytes, and gives how many there were. A stock client connects again:
// what keeps it out is your authorization.
func (c *Client) CloseSessions(ctx context.Context, w Who, code int, reason string) (int, error) {
	var a struct{ Sessions int }
	err := c.ask(ctx, &a, func(e *encoder) {
		e.op("close")
		e.user(w.Tenant, w.UID, w.NilUID, w.Client)
		e.number("code", int64(code))
		e.text("reason", reason)
	})
	return a.Sessions, err
}

// Join puts a user (all of its sessions, now and later), or one session, into a topic. joined is
// false when it is not online. Memberships end with the daemon: join again when [Event].Restarted
// says that there is a new one.
func (c *Client) Join(ctx context.Context, w Who, topic string) (joined bool, err error) {
	var a struct{ Joined bool }
	err = c.member(ctx, "join", w, topic, &a)
	return a.Joined, err
}

// Leave takes a user or session out of a topic. left says whether it was in.
func (c *Client) Leave(ctx context.Context, w Who, topic string) (left bool, err error) {
	var a struct{ Left bool }
	err = c.member(ctx, "leave", w, topic, &a)
	return a.Left, err
}

func (c *Client) member(ctx context.Context, op string, w Who, topic string, v any) error {
	return c.ask(ctx, v, func(e *encoder) {
		e.op(op)
		e.user(w.Tenant, w.UID, w.NilUID, w.Client)
		e.text("topic", topic)
	})
}

// Page is a part of the users that are online.
type Page struct {
	Users []Online
	Count Count  // of the whole daemon
	Next  string // the after of the next page; "" = this is the last
}

// Online is one user of a page.
type Online struct {
	UID      string
	NilUID   bool // the users without uid, as one
	WS, Ajax bool // over which transports
}

// Count counts users that are online, and those of them over each transport.
type Count struct {
	Any, WS, Ajax int
}

// Connected gives a page of the users of a tenant that are online: after is "" or the Next of the
// page before, limit is 0 (100) to 1000.
func (c *Client) Connected(ctx context.Context, tenant, after string, limit int) (Page, error) {
	var a struct {
		Any, WS, Ajax []*string
		Count         Count
		Next          string
	}
	err := c.ask(ctx, &a, func(e *encoder) {
		e.op("connected")
		e.text("tenant", tenant)
		e.text("after", after)
		e.number("limit", int64(limit))
	})
	if err != nil {
		return Page{}, err
	}
	p := Page{Count: a.Count, Next: a.Next}
	ws, ajax := uidSet(a.WS), uidSet(a.Ajax)
	for _, u := range a.Any {
		k := uidKey(u)
		p.Users = append(p.Users, Online{UID: k.uid, NilUID: k.nilUID, WS: ws[k], Ajax: ajax[k]})
	}
	return p, nil
}

type uidOrNil struct {
	uid    string
	nilUID bool
}

func uidKey(u *string) uidOrNil {
	if u == nil {
		return uidOrNil{nilUID: true}
	}
	return uidOrNil{uid: *u}
}

func uidSet(list []*string) map[uidOrNil]bool {
	set := make(map[uidOrNil]bool, len(list))
	for _, u := range list {
		set[uidKey(u)] = true
	}
	return set
}

// Users gives all users of a tenant that are online, page by page. A user that is online all the
// time is among them. An error is the last item.
func (c *Client) Users(ctx context.Context, tenant string) iter.Seq2[Online, error] {
	return func(yield func(Online, error) bool) {
		for after := ""; ; {
			p, err := c.Connected(ctx, tenant, after, 1000)
			if err != nil {
				yield(Online{}, err)
				return
			}
			for _, u := range p.Users {
				if !yield(u, nil) {
					return
				}
			}
			if after = p.Next; after == "" {
				return
			}
		}
	}
}

// User is what is known of one user.
type User struct {
	Online     bool
	WS, Ajax   int // sessions over each transport
	Clients    []Session
	More       bool     // there are more clients than are listed
	Topics     []string // the user's own, not those of single sessions
	MoreTopics bool     `json:"more_topics"`
}

// Session is one client of a user.
type Session struct {
	Client     string
	Transports []string // "ws", "ajax"
	Packer     string
	Lag        uint64   // events that wait for it
	Topics     []string // that the session joined by itself
	MoreTopics bool     `json:"more_topics"`
}

// User tells about one user; one that is not online is no error. w.Client has no meaning here.
func (c *Client) User(ctx context.Context, w Who) (u User, err error) {
	err = c.ask(ctx, &u, func(e *encoder) {
		e.op("connected")
		e.user(w.Tenant, w.UID, w.NilUID, "")
		if w.UID == "" && !w.NilUID {
			e.fail("whose sessions? UID or NilUID must be given")
		}
	})
	return u, err
}

// Stats are the daemon's counters: the common ones by name, and all of them as they came.
type Stats struct {
	Epoch                          string
	Uptime                         time.Duration
	Users, Sessions, Kept          int // Kept: sessions that are away, for the time being
	WS, Ajax                       int // sessions over each transport
	Consumers, Held, Dropped, Gaps int // of clients' events: who reads them, what waits, what was lost
	Raw                            json.RawMessage
}

// Stats asks the daemon for its counters.
func (c *Client) Stats(ctx context.Context) (Stats, error) {
	var raw json.RawMessage
	if err := c.ask(ctx, &raw, func(e *encoder) { e.op("stats") }); err != nil {
		return Stats{}, err
	}
	var a struct {
		Epoch  string
		Uptime float64 `json:"uptime_s"`
		Engine struct {
			Users, Sessions, WS, Ajax int
			Kept                      int `json:"kept_sessions"`
		}
		Backend struct{ Consumers, Held, Dropped, Gaps int }
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return Stats{}, fmt.Errorf("client: the daemon's answer: %w", err)
	}
	n, b := a.Engine, a.Backend
	return Stats{
		Epoch: a.Epoch, Uptime: time.Duration(a.Uptime * float64(time.Second)),
		Users: n.Users, Sessions: n.Sessions, Kept: n.Kept, WS: n.WS, Ajax: n.Ajax,
		Consumers: b.Consumers, Held: b.Held, Dropped: b.Dropped, Gaps: b.Gaps, Raw: raw,
	}, nil
}

// Ping waits until the daemon answers, and so has read all requests that were made before.
func (c *Client) Ping(ctx context.Context) error {
	return c.ask(ctx, nil, func(e *encoder) { e.op("ping") })
}

// String names who is meant, for people.
func (w Who) String() string {
	s := strconv.Quote(w.UID)
	if w.NilUID {
		s = "users without uid"
	}
	if w.Tenant != "" {
		s += " of " + strconv.Quote(w.Tenant)
	}
	if w.Client != "" {
		s += " client " + strconv.Quote(w.Client)
	}
	return s
}
