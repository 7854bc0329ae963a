package main

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/chskd/chskd/auth/verifier"
	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/engine"
	"github.com/chskd/chskd/mailbox"
	"github.com/chskd/chskd/packer"
)

// replyWait bounds how long the counters wait for the loops.
const replyWait = 5 * time.Second

// adapter lets the backend API use the engine: neither of the two knows the other, each
// declares what it needs, and here one is translated to the other.
//
// Any goroutine.
type adapter struct {
	engine   *engine.Engine
	verifier *verifier.Verifier // nil = no mode needs one
	started  time.Time
	ready    atomic.Bool // the listeners are up and the daemon is not going down

	draining atomic.Bool // the daemon is going down: clients leave, and nobody would get a push
}

// Push implements backend.Engine.
func (a *adapter) Push(p *backend.Push, done func(sessions int, err error)) {
	if a.draining.Load() {
		if done != nil {
			done(0, backend.ErrDraining)
		}
		return
	}
	a.engine.Push((*engine.Push)(p), done)
}

// Join implements backend.Engine.
func (a *adapter) Join(m *backend.Membership, done func(joined bool, err error)) {
	a.engine.Join((*engine.Membership)(m), func(joined bool, err error) {
		if err == engine.ErrTooManyTopics {
			err = backend.ErrTooManyTopics
		}
		done(joined, err)
	})
}

// Leave implements backend.Engine.
func (a *adapter) Leave(m *backend.Membership, done func(left bool, err error)) {
	a.engine.Leave((*engine.Membership)(m), done)
}

// Reply implements backend.Engine.
func (a *adapter) Reply(r *backend.Reply, done func(error)) {
	a.engine.Reply((*engine.Reply)(r), func(_ int, err error) {
		if err == engine.ErrUnknownReply {
			err = backend.ErrUnknownReply
		}
		done(err)
	})
}

// Flush implements backend.Engine.
func (a *adapter) Flush() { a.engine.Flush() }

// Close implements backend.Engine.
func (a *adapter) Close(c *backend.Close, done func(sessions int, err error)) {
	ended := func(sessions int) { done(sessions, nil) }
	if !c.Revoke {
		a.engine.End(c.Tenant, c.UID, c.NilUID, c.Client, c.Code, c.Reason, ended)
		return
	}
	if !a.engine.Revoke(c.Tenant, c.UID, c.Code, c.Reason, ended) {
		done(0, backend.ErrNotRevocable)
	}
}

// Connected implements backend.Engine.
func (a *adapter) Connected(q backend.Query, done func(*backend.Connected)) {
	after := uint64(0)
	if q.After != "" {
		n, err := strconv.ParseUint(q.After, 36, 64)
		if err != nil {
			done(&backend.Connected{Err: fmt.Errorf("after %q is not the `next` of a page", q.After)})
			return
		}
		after = n
	}
	if q.Topic != "" {
		a.engine.TopicUsers(q.Tenant, q.Topic, after, q.Limit, func(p *engine.Page) {
			done(page(q, &engine.Numbers{}, p))
		})
		return
	}
	a.engine.Stats(func(n *engine.Numbers) {
		a.engine.Users(after, q.Limit, func(p *engine.Page) { done(page(q, n, p)) })
	})
}

func page(q backend.Query, n *engine.Numbers, p *engine.Page) *backend.Connected {
	out := &backend.Connected{Count: backend.Count{Any: n.Shards.Users, WS: n.Shards.WSUsers, Ajax: n.Shards.AjaxUsers}}
	for _, u := range p.Users {
		if q.AllTenants || u.Tenant == q.Tenant {
			out.Users = append(out.Users, backend.Online{Tenant: u.Tenant, UID: u.UID, NilUID: u.NilUID,
				WS: u.WS, Ajax: u.Ajax})
		}
	}
	if p.Next != 0 {
		out.Next = strconv.FormatUint(p.Next, 36)
	}
	return out
}

// User implements backend.Engine.
func (a *adapter) User(tenant, uid string, nilUID bool, done func(*backend.User, bool)) {
	a.engine.User(tenant, uid, nilUID, func(u engine.UserInfo, list []engine.SessionInfo, more, ok bool) {
		if !ok {
			done(nil, false)
			return
		}
		out := &backend.User{WS: u.WS, Ajax: u.Ajax, More: more, Topics: u.Topics, MoreTopics: u.MoreTopics}
		for _, s := range list {
			out.Clients = append(out.Clients, backend.Client{Client: s.Client, WS: s.WS, Ajax: s.Ajax,
				Packer: s.Packer, Lag: s.Lag, Topics: s.Topics, MoreTopics: s.MoreTopics})
		}
		done(out, true)
	})
}

// Stats implements backend.Engine. A loop that does not answer in time is left out.
func (a *adapter) Stats() backend.Stats {
	answer := mailbox.NewReply[*engine.Numbers]()
	a.engine.Stats(answer.Put)
	out := backend.Stats{Version: versionText(), Uptime: time.Since(a.started), Counters: a.engine.Counters()}
	n, err := answer.Wait(replyWait)
	if err != nil {
		return out
	}
	c := n.Shards
	out.Users, out.Sessions, out.Kept, out.WS, out.Ajax = c.Users, c.Sessions, c.Kept, c.WS, c.Ajax
	out.Entries, out.LogBytes = c.Entries, c.LogBytes
	for name, n := range map[string]uint64{
		"gaps": c.Gaps, "gap_events": c.GapEvents, "superseded": c.Superseded, "expired": c.Expired,
		"sessions_evicted": c.Evicted, "topics_now": uint64(c.Topics), "members_now": uint64(c.Members),
	} {
		out.Counters[name] = n
	}
	out.Counters["loops"], out.Counters["buffers_now"] = uint64(n.Loops), uint64(max(n.Buffers, 0))
	out.Counters["conns_served_now"] = uint64(n.Served)
	return out
}

// Ready implements backend.Engine.
func (a *adapter) Ready() bool { return a.ready.Load() }

// inbound is the way of clients' events to the hub, as the engine knows it.
//
// Any goroutine.
type inbound struct{ *backend.Hub }

// Event implements engine.Backend.
func (in inbound) Event(tenant, uid []byte, nilUID bool, client []byte, ajax bool, format packer.Format,
	event []byte, bad bool, replyTo []byte, at time.Time) engine.Verdict {
	switch in.Hub.Event(tenant, uid, nilUID, client, ajax, format, event, bad, replyTo, at) {
	case backend.Taken:
		return engine.Taken
	case backend.Reject:
		return engine.Reject
	}
	return engine.Dropped
}
