package engine

import "time"

// When there is too much to do, what is new waits: a loop that is behind holds handshakes
// (limits_held.go) until it has caught up, and refuses those for which that takes too long.
// What is old is served in its turn, as ever.
//
// The rule, judged at the end of each turn by the loop's own clock. A loop is behind when
//
//	its turn took behindMs or more,
//	or began so long after the time for which it was asked for: its sockets, or others on
//	the machine, had taken that time,
//	or left more messages in its mailbox than a turn may take.
//
// It has caught up when the first two are under half of that, and no message is left. A
// held handshake asks for a turn every heldCheckMs, so that this is found out. A turn is
// bounded to about 20 ms of deliveries, so that one of behindMs is no turn of a loop that
// has just enough to do.

// behindMs is how long a turn, or the wait for it, may be: the time after which people
// notice, and far from the 10 s after which clients give a handshake up.
const behindMs = 250

// lateness is how long after the time for which it was asked for a turn begins.
func (l *loop) lateness() uint32 {
	if late := l.passed(l.armedFor); l.armed && int32(late) > 0 {
		return late
	}
	return 0
}

// judge says at the end of a turn whether the loop is behind.
func (l *loop) judge(took time.Duration, left int) {
	worst := max(uint32(min(max(took, 0), time.Hour)/time.Millisecond), l.late)
	switch {
	case worst >= behindMs || left > messagesPerTurn:
		l.behind = true
	case worst < behindMs/2 && left == 0:
		l.behind = false
	}
	l.m.BehindNow.Set(0)
	if l.behind {
		l.m.BehindNow.Set(1)
	}
}
