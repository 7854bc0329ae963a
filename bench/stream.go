package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// streamChunk is how many bytes of lines are made at once.
const streamChunk = 64 << 10

// pushStream is the pushes of a run as lines of JSON, one object each, made while they are read.
// The next one of a paced stream is there when it is due; until then Read waits.
//
// Owner: the reading goroutine, and afterwards the driver's.
type pushStream struct {
	ctx   context.Context
	clock clock
	t     *target
	p     *packer
	o     *options
	op    string // first member of each line, or nothing
	rng   *rand.Rand

	total    int64
	start    int64 // ns: when the first one was due
	stopAt   int64 // ns: nothing is begun after that
	giveUpAt int64 // ns: a paced stream that has not ended then is an error

	uidHead, uidTail string   // of --uid, as JSON
	last             []uint32 // by connection number: how many it is sent
	to, row          int      // who gets the next one, and how many more in a row
	pushed           int64
	late             int64 // ns: the longest that one went after its time

	out   []byte
	taken int // bytes of out that were read
	event []byte
}

// newPushStream begins at once: the first push is due now.
func newPushStream(ctx context.Context, t *target, o *options) (*pushStream, error) {
	clock, err := newClock()
	if err != nil {
		return nil, err
	}
	s := &pushStream{
		ctx: ctx, clock: clock, t: t, p: packers[o.packer], o: o, total: o.pushes(),
		rng: rand.New(rand.NewPCG(uint64(t.Run), 0)), last: make([]uint32, o.conns),
		start: clock.now(),
	}
	if o.dialect == "line" {
		s.op = `"op":"push",`
	}
	s.stopAt = s.start + int64(o.duration)
	s.giveUpAt = s.stopAt + int64(o.timeout)
	if o.uid != "" {
		quoted, err := json.Marshal(o.uid)
		if err != nil {
			return nil, fmt.Errorf("bench: --uid: %w", err)
		}
		s.uidHead, s.uidTail, _ = strings.Cut(string(quoted[1:len(quoted)-1]), "{i}")
	}
	return s, nil
}

// Read implements io.Reader. The error at the end is io.EOF, or why the stream ends early.
func (s *pushStream) Read(b []byte) (int, error) {
	if s.taken == len(s.out) {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(b, s.out[s.taken:])
	s.taken += n
	return n, nil
}

// fill makes the lines that are due, at least one and at most a chunk.
func (s *pushStream) fill() error {
	s.out, s.taken = s.out[:0], 0
	now := s.clock.now()
	for s.pushed < s.total && len(s.out) < streamChunk {
		due := now
		if s.o.rate > 0 {
			due = s.start + int64(float64(s.pushed)/s.o.rate*1e9)
		} else if now >= s.stopAt {
			break
		}
		if due > now && len(s.out) > 0 {
			break
		}
		if due > now {
			if err := pause(s.ctx, time.Duration(due-now)); err != nil {
				return err
			}
			now = s.clock.now()
		}
		if now >= s.giveUpAt {
			return fmt.Errorf("bench: %d of %d pushes were taken when the time was over: lower --rate",
				s.pushed, s.total)
		}
		s.late = max(s.late, now-due)
		if err := s.one(due); err != nil {
			return err
		}
	}
	if len(s.out) == 0 {
		return io.EOF
	}
	return nil
}

// one appends a push that was due at a time.
func (s *pushStream) one(due int64) (err error) {
	if s.row == 0 {
		s.to, s.row = s.rng.IntN(s.o.receivers()), s.o.burst
	}
	s.row--
	s.last[s.to]++
	s.pushed++
	e := event{run: s.t.Run, number: s.last[s.to], at: due}
	if s.event, err = s.p.appendEvent(s.event[:0], eventID, e, s.o.size); err != nil {
		return err
	}
	out := append(append(append(s.out, '{'), s.op...), `"uid":"`...)
	if s.o.uid == "" {
		out = s.t.appendClientID(out, s.to)
	} else {
		out = strconv.AppendInt(append(out, s.uidHead...), int64(s.to), 10)
		out = append(out, s.uidTail...)
	}
	if s.o.flush {
		out = append(out, `","flush":true,`...)
	} else {
		out = append(out, `",`...)
	}
	s.out = append(s.p.appendMember(out, s.event), "}\n"...)
	return nil
}

// appendMember appends an event as the member of a push.
func (p *packer) appendMember(dst, event []byte) []byte {
	if p.name == "json" {
		return append(append(dst, `"event":`...), event...)
	}
	dst = append(dst, `"edn":"`...)
	for _, c := range event { // our own: it holds no other letter that JSON escapes
		if c == '"' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
