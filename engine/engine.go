package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/chskd/chskd/admit"
	"github.com/chskd/chskd/mailbox"
	"github.com/chskd/chskd/metrics"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/shard"
)

// Backend is who hears what clients say and who comes and goes. All calls come from
// loops: they must not block, and copy what they keep.
type Backend interface {
	// Event is one event of a client, its value in format. bad: it is not an event,
	// and is told as :chsk/bad-event. replyTo is nil unless the client waits for a
	// reply.
	Event(tenant, uid []byte, nilUID bool, client []byte, ajax bool, format packer.Format,
		event []byte, bad bool, replyTo []byte, at time.Time) Verdict
	// Presence says that a user has come or is gone. Users without uid come and go
	// in each shard of their own.
	Presence(open bool, tenant, uid []byte, nilUID bool)
}

// Verdict is what became of an event. For any but Taken nobody will answer: a client that
// waits for a reply is told :chsk/error at once.
type Verdict uint8

// The verdicts.
const (
	Taken   Verdict = iota
	Dropped         // nobody hears it
	Reject          // nobody hears it, and its client is to know (reject.go)
)

// Engine is the whole of the event loops.
//
// Any goroutine may call its exported methods.
type Engine struct {
	opts    Options
	backend Backend
	loops   []*loop
	queues  []*mailbox.Queue[msg]
	wakers  []*mailbox.Waker
	clock   *mailbox.Clock
	gate    *admit.Gate
	memory  *admit.Memory

	pages   []byte // opts.Path with a trailing slash: paths below choose a packer
	packers string // what a client is told that asks for another packer

	addresses *admit.Addresses // what each address has; nil without limits of one
	pace      *admit.Pace      // of handshakes; nil without limit
	events    eventLimits
	paced     bool // handshakes are limited
	placed    bool // something is kept of where conns come from
	located   bool // the address of a request is asked for

	userField, tenantField string // of Auth; empty = none is read
	replays                uint64 // seed of the keys of sends
	server                 *server
}

// New makes an engine. It starts nothing: Run does.
func New(o Options, b Backend) (*Engine, error) {
	if o.Loops < 1 || o.Loops > maxLoops {
		return nil, fmt.Errorf("engine: %d loops; use 1 to %d", o.Loops, maxLoops)
	}
	if o.Path == "" || o.Path[0] != '/' || bytes.ContainsAny([]byte(o.Path), "?# ") {
		return nil, fmt.Errorf("engine: path %q; it must start with / and have no ?, # or space", o.Path)
	}
	if o.LPTimeoutMs >= 60_000 {
		return nil, errors.New("engine: lp-timeout-ms must be below 60000: stock clients give a poll up then")
	}
	if !o.Packers.Has(o.Packer) {
		return nil, fmt.Errorf("engine: packer %v is not among the allowed ones, which are %v",
			o.Packer, o.Packers)
	}
	if err := checkHandshake(o.Handshake, o.Packers); err != nil {
		return nil, err
	}
	e := &Engine{opts: o, backend: b, memory: admit.NewMemory(o.Limits.KeptSessions/10 + 1)}
	if o.Auth != nil {
		e.userField, e.tenantField = o.Auth.UserField(), o.Auth.TenantField()
	}
	s := seed()
	e.replays = binary.LittleEndian.Uint64(s[:])
	e.pages = append([]byte(o.Path), '/')
	e.packers = "No such packer; name one of " + o.Packers.String() +
		" as packer=NAME or in the path, " + o.Path + "/NAME"
	e.limit()
	e.gate = admit.NewGate(o.Limits.MaxConns, o.Limits.MaxConns+o.Limits.HeldConns)
	wake := make([]func(), o.Loops)
	for i := range o.Loops {
		w := new(mailbox.Waker)
		q := mailbox.NewQueue[msg](w.Wake)
		e.wakers = append(e.wakers, w)
		e.queues = append(e.queues, q)
		wake[i] = q.Wake
	}
	e.clock = mailbox.NewClock(wake)
	for i := range o.Loops {
		e.loops = append(e.loops, newLoop(e, i))
	}
	e.server = newServer(e)
	return e, nil
}

// checkHandshake checks the data that goes with every handshake: it must be sayable in every packer
// that a client may choose.
func checkHandshake(data []byte, allowed packer.Set) error {
	if data == nil {
		return nil
	}
	if err := packer.EDN.CheckValue(data); err != nil {
		return fmt.Errorf("engine: handshake-data is not an edn value: %w", err)
	}
	for p := range packer.Packer(packer.Packers) {
		if !allowed.Has(p) {
			continue
		}
		if _, err := packer.Append(nil, p.Format(), data, packer.EDN, packer.Options{}); err != nil {
			return fmt.Errorf("engine: handshake-data cannot be written in %v, which clients may "+
				"choose: %w", p, err)
		}
	}
	return nil
}

// Clock is the source of ticks; somebody must call its Run on a goroutine.
func (e *Engine) Clock() *mailbox.Clock { return e.clock }

// homeOf is the loop that owns the user of id; users without uid have none in
// common, their sessions are spread by client-id.
func (e *Engine) homeOf(id *identity) int {
	if len(e.loops) == 1 {
		return 0 // whatever the hash says
	}
	h := uint64(0)
	if id.nilUID {
		h = shard.OfClient(id.tenant, id.client)
	} else {
		h = shard.Of(id.tenant, id.uid)
	}
	return int(h % uint64(len(e.loops)))
}

// Counters sums what all loops counted.
func (e *Engine) Counters() map[string]uint64 {
	return metrics.Sum(e.Blocks())
}

// Blocks are the counters of the loops, to be read and no more.
func (e *Engine) Blocks() []*metrics.Loop {
	blocks := make([]*metrics.Loop, len(e.loops))
	for i, l := range e.loops {
		blocks[i] = l.m
	}
	return blocks
}
