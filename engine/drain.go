package engine

import (
	"github.com/chskd/chskd/mailbox"
	"github.com/chskd/chskd/packer"
	"github.com/chskd/chskd/shard"
)

// Going down: no new conns, a close frame 1001 to every WebSocket, an answer to every
// poll, and the end of each conn when what it waits for is done. The closing is spread
// over some seconds, because every stock client comes back within 20 ms of its close.

const (
	drainSteps  = 20  // conns are closed in so many steps
	drainStepMs = 100 // this far apart
)

// Drain begins to go down. done is called, on a loop, when no conn is left; it may
// never be when a client does not let go, so callers bound their wait. Any goroutine,
// once.
func (e *Engine) Drain(done func()) {
	tally := mailbox.NewTally(len(e.loops), func(int) { done() })
	for _, q := range e.queues {
		q.Post(msg{kind: mDrain, cmd: &command{tally: tally}})
	}
}

// onDrain begins, or goes on with, this loop's part.
func (l *loop) onDrain(m *msg) {
	l.draining = true
	l.drained = m.cmd.tally
	l.drainStep = l.conns.live/drainSteps + 1
	l.drainAll()
}

// drainAll ends the next conns in slot order; drainDue calls it again.
func (l *loop) drainAll() {
	if !l.draining {
		return
	}
	for n := 0; n < l.drainStep && l.drainAt < l.conns.n; l.drainAt++ {
		c := l.conns.at(l.drainAt)
		if c.state == sFree {
			continue
		}
		n++
		l.busyRef = makeRef(l.id, l.drainAt, c.gen)
		l.drainConn(l.drainAt, c)
	}
	if l.drainAt < l.conns.n {
		l.timers.drain.Push(0, l.now+drainStepMs)
		return
	}
	l.endPolls()
	l.drainDone()
}

// drainConn ends one conn as its state allows. A poll is answered by its home, a send
// waits for its reply; both end their conn with the answer.
func (l *loop) drainConn(slot uint32, c *conn) {
	switch c.state {
	case sWS:
		l.dismiss(slot, c, 1001, "server is going down")
	case sHead, sHeld:
		if c.state == sHead && l.conns.sock(slot).InboundBuffered() == 0 {
			l.closeConn(slot)
		}
	}
}

// endPolls answers every poll that is parked at this home.
func (l *loop) endPolls() {
	l.polls.Each(func(ref, session uint64, current bool) {
		l.ending = append(l.ending, ref)
	})
	for _, ref := range l.ending {
		session, _, ok := l.polls.Session(ref)
		if !ok || !l.polls.Take(ref) {
			continue
		}
		l.m.PollsNow.Sub(1)
		l.answerTimeout(connRef(ref), packer.Timeout)
		l.sh.PollAnswered(l.now, shard.SessionID(session), ref)
	}
	l.ending = l.ending[:0]
}

// drainDue goes on with the next step.
func (l *loop) drainDue() {
	for {
		if _, ok := l.timers.drain.Pop(l.now); !ok {
			return
		}
		l.drainAll()
	}
}

// drainDone says once that no conn is left, those apart that are held: they wait for
// the next server.
func (l *loop) drainDone() {
	if l.draining && l.drained != nil && l.conns.live == len(l.dead)+l.held && l.drainAt >= l.conns.n {
		l.drained.Add(1)
		l.drained = nil
	}
}

// endPosts answers every send that still waits, when no more time is left.
func (l *loop) endPosts() {
	for {
		slot, ok := l.posts.Timeout(l.now + l.opts.LPTimeoutMs)
		if !ok {
			return
		}
		l.timeoutPost(slot)
	}
}

// ReplyTimeouts answers the sends that still wait for a backend, shortly before the
// process ends. Any goroutine.
func (e *Engine) ReplyTimeouts() {
	for _, q := range e.queues {
		q.Post(msg{kind: mEndPosts})
	}
}
