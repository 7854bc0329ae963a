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

// feed is pushes of one kind at one rate.
type feed struct {
	kind  uint32  // streamUser, streamAll, or streamTopic for any topic
	rate  float64 // a second; 0 = as fast as they are taken, if it is the only feed
	total int64   // at most; 0 = as many as the rate has in the time
	sent  int64
}

// pushStream is the pushes of a run as lines of JSON, one object each, made while they are read.
// The next one of a paced stream is there when it is due; until then Read waits.
//
// Owner: the reading goroutine, and afterwards the driver's.
type pushStream struct {
	ctx   context.Context
	clock clock
	o     *options
	api   api
	names naming
	http  bool // lines are the body of a request, not of the line dialect
	rng   *rand.Rand
	feeds []feed

	start    int64 // ns: when the first one was due
	stopAt   int64 // ns: nothing is begun after that
	giveUpAt int64 // ns: a paced stream that has not ended then is an error

	last    lasts
	to, row int   // which user gets the next one, and how many more in a row
	late    int64 // ns: the longest that one went after its time

	out   []byte
	taken int // bytes of out that were read
	event []byte
}

// newPushStream makes the stream of all feeds that have a rate or a total.
func newPushStream(d *driver, feeds ...feed) *pushStream {
	codec, err := newCodec(d.o.packer)
	if err != nil {
		panic(fmt.Sprintf("bench: %v, which was checked", err))
	}
	s := &pushStream{
		o: d.o, api: codec.api(), names: newNaming(&d.target, d.o.uid),
		http: d.o.dialect == "http", rng: rand.New(rand.NewPCG(uint64(d.target.Run), 0)),
		last: lasts{Users: make([]uint32, d.o.conns), Topics: make([]uint32, d.o.topics)},
	}
	for _, f := range feeds {
		if f.total == 0 {
			f.total = int64(f.rate * d.o.duration.Seconds())
		}
		if f.total > 0 {
			s.feeds = append(s.feeds, f)
		}
	}
	return s
}

// begin makes the first push due now.
func (s *pushStream) begin(ctx context.Context) (err error) {
	s.ctx = ctx
	if s.clock, err = newClock(); err != nil {
		return err
	}
	s.start = s.clock.now()
	s.stopAt = s.start + int64(s.o.duration)
	s.giveUpAt = s.stopAt + int64(s.o.timeout)
	return nil
}

func (s *pushStream) lasts() *lasts { return &s.last }

func (s *pushStream) pushed() (n int64) {
	for i := range s.feeds {
		n += s.feeds[i].sent
	}
	return n
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
	for len(s.out) < streamChunk {
		f, due := s.next(now)
		if f == nil || due > now && len(s.out) > 0 {
			break
		}
		if due > now {
			if err := pause(s.ctx, time.Duration(due-now)); err != nil {
				return err
			}
			now = s.clock.now()
		}
		if now >= s.giveUpAt {
			return fmt.Errorf("bench: %d pushes were taken when the time was over: lower --rate",
				s.pushed())
		}
		s.late = max(s.late, now-due)
		if err := s.one(f, due); err != nil {
			return err
		}
	}
	if len(s.out) == 0 {
		return io.EOF
	}
	return nil
}

// next is the feed whose push comes next, and when that is due; nil = all is pushed.
func (s *pushStream) next(now int64) (next *feed, at int64) {
	for i := range s.feeds {
		f := &s.feeds[i]
		due := now
		if f.rate > 0 {
			due = s.start + int64(float64(f.sent)/f.rate*1e9)
		}
		if f.sent < f.total && (f.rate > 0 || now < s.stopAt) && (next == nil || due < at) {
			next, at = f, due
		}
	}
	return next, at
}

// one appends a push of a feed that was due at a time.
func (s *pushStream) one(f *feed, due int64) (err error) {
	f.sent++
	out := append(s.out, '{')
	if !s.http {
		out = append(out, `"op":"push",`...)
	}
	e := event{run: s.names.run, at: due, stream: f.kind}
	switch f.kind {
	case streamUser:
		if s.row == 0 {
			s.to, s.row = s.rng.IntN(s.o.receivers()), s.o.burst
		}
		s.row--
		e.number = count(&s.last.Users[s.to])
		out = s.names.appendUser(out, s.to)
	case streamAll:
		e.number = count(&s.last.All)
		out = append(out, `"all":true`...)
	default:
		topic := s.rng.IntN(s.o.topics)
		e.number = count(&s.last.Topics[topic])
		e.stream += uint32(topic)
		out = s.names.appendTopic(out, topic)
	}
	if s.o.flush {
		out = append(out, `,"flush":true`...)
	}
	if out, err = s.api.appendEvent(append(out, ','), e, s.o.size, &s.event); err != nil {
		return err
	}
	s.out = append(out, "}\n"...)
	return nil
}

func count(n *uint32) uint32 {
	*n++
	return *n
}

// naming is how the API names a run's users and topics.
type naming struct {
	run     uint32
	t       *target
	uid     bool
	uidHead string // of --uid, as JSON
	uidTail string
}

// newNaming takes --uid, in which {i} stands once if it is not empty.
func newNaming(t *target, uid string) naming {
	n := naming{run: t.Run, t: t, uid: uid != ""}
	quoted, err := json.Marshal(uid)
	if err != nil {
		panic(fmt.Sprintf("bench: a string has no JSON: %v", err))
	}
	n.uidHead, n.uidTail, _ = strings.Cut(string(quoted[1:len(quoted)-1]), "{i}")
	return n
}

// appendUser appends the member that names the user behind the connection with a number.
func (n *naming) appendUser(dst []byte, number int) []byte {
	dst = append(dst, `"uid":"`...)
	if n.uid {
		dst = strconv.AppendInt(append(dst, n.uidHead...), int64(number), 10)
		dst = append(dst, n.uidTail...)
	} else {
		dst = n.t.appendClientID(dst, number)
	}
	return append(dst, '"')
}

// appendTopic appends the member that names a topic, which no other run has.
func (n *naming) appendTopic(dst []byte, topic int) []byte {
	return fmt.Appendf(dst, `"topic":"bench-%08x-%d"`, n.run, topic)
}

// joinStream is the joins of all users as lines of the line dialect.
type joinStream struct {
	names   naming
	members membership
	conns   int
	number  int // who joins next
	out     []byte
}

func newJoinStream(d *driver, m membership) *joinStream {
	return &joinStream{names: newNaming(&d.target, d.o.uid), members: m, conns: d.o.conns}
}

// Read implements io.Reader.
func (s *joinStream) Read(b []byte) (int, error) {
	for len(s.out) < len(b) && s.number < s.conns {
		for j := range s.members.Each {
			s.out = s.names.appendUser(append(s.out, `{"op":"join",`...), s.number)
			s.out = s.names.appendTopic(append(s.out, ','), s.members.topic(s.number, j))
			s.out = append(s.out, "}\n"...)
		}
		s.number++
	}
	if len(s.out) == 0 {
		return 0, io.EOF
	}
	n := copy(b, s.out)
	s.out = s.out[:copy(s.out, s.out[n:])]
	return n, nil
}
