package engine

import (
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/chskd/chskd/arena"
	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/bufpool"
	"github.com/chskd/chskd/httpmin"
	"github.com/chskd/chskd/longpoll"
	"github.com/chskd/chskd/mailbox"
	"github.com/chskd/chskd/metrics"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/shard"
	"github.com/chskd/chskd/wsframe"
)

// loop is one event loop and all that it owns: its conns, and the shard of the
// users whose home it is.
//
// Owner: loop.
type loop struct {
	id   int
	eng  *Engine // immutable parts only: options, queues, backend, gate
	opts *Options
	net  network
	time func() (now uint32, wall time.Time)
	log  *slog.Logger
	m    *metrics.Loop

	// as owner
	conns     connTable
	ids       arena.Arena
	dead      []uint32 // closed in this turn; their slots are free after it
	acks      ackList
	callbacks callbackTable
	timers    timers
	held      int
	places    column[place]  // where conns come from; if something asks for it again
	spoken    column[spoken] // what they have used of their limits, if there are any
	behind    bool           // overload.go
	late      uint32         // ms that this turn began late

	heldForRate int // of held
	expiries    expiries
	verifying   auth.Request // that Verify reads

	// as home
	sh       *shard.Shard
	polls    *longpoll.Table
	posts    *longpoll.Posts
	payloads *payload          // free list
	posted   column[spoken]    // of sessions: what they have used of their limits over Ajax
	nudged   map[uint64]uint32 // session -> when its poll was nudged last
	armed    bool              // a turn was asked for at armedFor
	armedFor uint32
	walking  bool // the shard has more to deliver than one turn may

	// the turn
	now     uint32
	wall    time.Time
	in      []msg // taken from the mailbox; handled up to inAt
	inAt    int
	local   []msg   // the other slice of out[id], see handleLocal
	cursor  int     // message being handled, for the recover
	busyRef connRef // conn being worked on, for the recover
	out     [][]msg // posts of this turn by loop; out[id] is handled in the same turn
	lastFan []fanRef
	alike   alike         // deliveries of this turn that are not tallied yet
	batches metrics.Tally // for m.BatchEvents, and
	delays  metrics.Tally // for m.Delays
	lagAt   uint32        // session after which the next sample of lags begins

	// going down
	draining  bool
	drained   *mailbox.Tally // told once when no conn is left
	drainAt   uint32         // next slot to end
	drainStep int
	ending    []uint64

	head    httpmin.Head   // of the request being read
	gzip    *packer.Gzip   // for conns whose packer wraps
	split   packer.Message // message being handled
	scratch []byte         // what is written is built here
	hello   []byte         // message being written, before it is wrapped
	wrapped []byte         // and after
	plain   []byte         // batch being written, before it is wrapped
	asm     []byte         // message in pieces whose conn has no buffer yet
	reader  wsframe.Reader // of conns that are between two messages
	value   []byte         // reply being translated
	origin  []byte         // of the request being answered
	who     []byte         // identity being read, and
	client  [arena.UUIDLen]byte
	token   []byte   // reply_to of the event being handled
	key     []byte   // of the push being handled
	topic   []byte   // of the push or membership being handled
	form    []byte   // decoded parameters of the request being handled
	lines   [][]byte // lines of a field of it
	date    [29]byte
	dateAt  int64
	hash    digest
	rng     *rand.ChaCha8
}

func newLoop(e *Engine, id int) *loop {
	o := &e.opts
	l := &loop{
		id: id, eng: e, opts: o, log: o.Log, m: new(metrics.Loop),
		out: make([][]msg, o.Loops), lastFan: make([]fanRef, o.Loops),
		polls:  longpoll.New(o.LPTimeoutMs, o.Limits.PollsPerSession),
		posts:  longpoll.NewPosts(o.Limits.ReplayMs, o.LPTimeoutMs, o.Limits.ReplayedPosts),
		nudged: map[uint64]uint32{}, gzip: new(packer.Gzip),
		rng: rand.NewChaCha8(seed()),
	}
	l.time = e.clock.Read
	l.conns.ids = &l.ids
	l.sh = shard.New(shard.Config{
		WSGrace: o.ReconnectMsWS, AjaxGrace: o.ReconnectMsAjax, Keep: o.SessionKeepMs,
		FlushWS: o.SendBufMsWS, FlushAjax: o.SendBufMsAjax, Pace: paceMs,
		LogAge: o.Limits.LogAgeMs, LogEntries: o.Limits.LogEntries, LogBytes: o.Limits.LogBytes,
		ShardBytes:  o.Limits.ShardBytes / o.Loops,
		BatchEvents: batchEvents, BatchBytes: batchBytes,
		UserSessions: o.Limits.SessionsPerUser, KeptSessions: o.Limits.KeptSessions/o.Loops + 1,
		ConfirmOnSend: o.Redelivery == RedeliveryOff,
	})
	return l
}

// post sends m to a loop; it goes out at the end of this turn, in order with all
// that this loop posts there.
func (l *loop) post(to int, m msg) {
	l.out[to] = append(l.out[to], m)
}

// begin reads the clock once for all that follows.
func (l *loop) begin() {
	l.now, l.wall = l.time()
	if s := l.wall.Unix(); s != l.dateAt {
		l.dateAt = s
		l.wall.UTC().AppendFormat(l.date[:0], "Mon, 02 Jan 2006 15:04:05 GMT")
	}
}

// settle ends a piece of work that gnet called for outside a turn: what it posted
// needs one now, what it armed needs one later.
func (l *loop) settle() {
	if len(l.dead) > 0 {
		l.eng.queues[l.id].Wake()
		return
	}
	for i := range l.out {
		if len(l.out[i]) > 0 {
			l.eng.queues[l.id].Wake()
			return
		}
	}
	l.arm()
}

// turn is the rest of a loop's iteration, see DESIGN in ARCHITECTURE.md:
//
//	own posts -> drain mailbox (bounded) -> deadlines -> deliveries -> one post a loop -> release
//
// It is the task of the one wake that is outstanding.
func (l *loop) turn() {
	l.begin()
	l.late = l.lateness()
	l.m.Turns.Add(1)
	l.handleLocal() // what sockets brought: before what was posted because of it
	l.drainMailbox()
	l.guard(l.deadlines)
	l.handleLocal()
	l.guard(l.deliver)
	l.handleLocal()
	l.flush()
	for _, slot := range l.dead {
		l.conns.put(slot)
	}
	l.dead = l.dead[:0]
	l.drainDone()
	l.next()
	l.measure()
}

// drainMailbox handles what other loops and backends posted, so many messages a
// turn that a flood of them does not starve the sockets.
func (l *loop) drainMailbox() {
	if l.inAt == len(l.in) {
		l.in, l.inAt = l.eng.queues[l.id].Take(l.in), 0
	} else {
		// Also with work left the mailbox must be taken: the wake that it had asked for
		// is this turn, and it asks for none before it was taken.
		l.in, l.inAt = append(l.in[l.inAt:], l.eng.queues[l.id].Take(nil)...), 0
	}
	end := min(len(l.in), l.inAt+messagesPerTurn)
	batch := l.in[l.inAt:end]
	l.inAt = end
	l.handleAll(batch)
}

// handleLocal handles what this turn posted to its own loop, and what that posts.
func (l *loop) handleLocal() {
	for len(l.out[l.id]) > 0 {
		batch := l.out[l.id]
		l.out[l.id] = l.local[:0]
		l.lastFan[l.id] = fanRef{}
		l.handleAll(batch)
		clear(batch)
		l.local = batch
	}
}

// flush sends this turn's posts, one PostAll a loop.
func (l *loop) flush() {
	for i := range l.out {
		l.flushTo(i)
	}
}

// flushTo sends what is for loop i; what is for this one stays, and is handled before
// anything that is posted from now on.
func (l *loop) flushTo(i int) {
	if i == l.id || len(l.out[i]) == 0 {
		return
	}
	l.eng.queues[i].PostAll(l.out[i])
	clear(l.out[i])
	l.out[i] = l.out[i][:0]
	l.lastFan[i] = fanRef{}
}

// next asks for the next turn: at once if work is left, else at the nearest deadline.
func (l *loop) next() {
	if l.walking || l.inAt < len(l.in) {
		l.eng.queues[l.id].Wake()
		return
	}
	// This turn may be the alarm that was asked for, so that none is left.
	l.armed = false
	l.arm()
}

// arm asks for a turn at the nearest deadline, unless one was asked for already.
func (l *loop) arm() {
	due, ok := l.due()
	if !ok || (l.armed && int32(due-l.armedFor) >= 0) {
		return
	}
	l.armed, l.armedFor = true, due
	l.eng.clock.At(l.id, due)
}

// handleAll handles every message, whatever a single one does.
func (l *loop) handleAll(msgs []msg) {
	if len(msgs) == 0 {
		return
	}
	l.m.Messages.Add(uint64(len(msgs)))
	for l.cursor = 0; l.cursor < len(msgs); l.cursor++ {
		l.handleFrom(msgs)
	}
}

// handleFrom handles messages from the cursor on. A panic ends the conn that the
// message was about, and with it this call; handleAll goes on behind it.
func (l *loop) handleFrom(msgs []msg) {
	defer l.recovered()
	for ; l.cursor < len(msgs); l.cursor++ {
		l.busyRef = msgs[l.cursor].ref
		l.handle(&msgs[l.cursor])
	}
	l.busyRef = 0
}

// guard runs one step of the turn; a panic in it is logged and the turn goes on.
func (l *loop) guard(step func()) {
	l.busyRef = 0
	defer l.recovered()
	step()
}

// recovered ends what panicked and nothing else: hazard 5 of gnet is that a panic in
// a handler ends the process.
func (l *loop) recovered() {
	p := recover()
	if p == nil {
		return
	}
	l.m.Panics.Add(1)
	l.log.Error("engine: a panic in the work of one connection; it was closed",
		"panic", p, "loop", l.id, "stack", string(debug.Stack()))
	ref := l.busyRef
	l.busyRef = 0
	if ref != 0 && ref.loop() == l.id && l.conns.get(ref) != nil {
		l.net.close(l.conns.sock(ref.slot()))
	}
}

// handle does what one message asks.
func (l *loop) handle(m *msg) {
	switch m.kind {
	case mDeliver:
		l.onDeliver(m)
	case mAttach:
		l.onAttach(m)
	case mAttached:
		l.onAttached(m)
	case mDetach:
		l.onDetach(m)
	case mRelease:
		l.onRelease(m)
	case mRebound:
		l.onRebound(m)
	case mDisplaced:
		l.sh.Displaced(l.now, m.session(), uint64(m.ref), m.a)
	case mConfirm:
		l.sh.Confirm(m.session(), uint64(m.ref), m.a)
	case mStalled:
		l.sh.Stalled(m.session(), uint64(m.ref), m.a)
	case mDrained:
		l.sh.Drained(l.now, m.session(), uint64(m.ref))
	case mPoll:
		l.onPoll(m)
	case mPollGone:
		l.onPollGone(m)
	case mAnswerLit:
		l.onAnswerLit(m)
	case mAnswer:
		l.onAnswer(m)
	case mPost:
		l.onPost(m)
	case mNudge:
		l.onNudge(m)
	case mReply:
		l.onReply(m)
	case mPush, mJoin, mLeave, mQuery, mEnd:
		l.onCommand(m)
	case mEndConn:
		l.onEndConn(m)
	case mGap:
		l.onGap(m)
	case mGapEnd:
		l.onGapEnd(m)
	case mAnswerGap:
		l.onAnswerGap(m)
	case mVerified:
		l.onVerified(m)
	case mRevoke:
		l.onRevoke(m)
	case mDrain:
		l.onDrain(m)
	case mEndPosts:
		l.endPosts()
	}
}

// release gives a message's buffer back; for handlers that did not pass it on.
func release(b *bufpool.Buf) {
	if b != nil {
		b.Release()
	}
}
