package bench

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// askResult is round trips of one kind: pings, or echoes over WebSocket or by POST. With a Rate the
// loop is open and latencies count from the time at which a question was due; without, it is
// closed, so that they are those of this load and not of a fixed rate.
type askResult struct {
	Rate        float64 `json:"rate"`        // wanted, a second; 0 = a closed loop of
	Outstanding int     `json:"outstanding"` // so many at a time
	Size        int     `json:"size"`        // letters of an echo's text
	Sent        int64   `json:"sent"`
	Answered    int64   `json:"answered"`
	Unsent      int64   `json:"unsent"` // due, but no connection became free for them
	TookS       float64 `json:"took_s"`
	PerSecond   float64 `json:"per_second"`
	LateMaxUs   int64   `json:"late_max_us"` // how far the tool fell behind the times

	Ack     bool    `json:"ack,omitempty"` // the backend acknowledges what it got
	Replied int64   `json:"backend_replies,omitempty"`
	PerRead float64 `json:"backend_events_per_read,omitempty"` // how many came to it at once

	CPU     *cpuCost       `json:"server_cpu,omitempty"`
	Latency latencySummary `json:"latency"`
}

// asked is what the workers say of a load's i-th kind of questions.
func (d *driver) asked(out *outcome, l *load, i int) (*askResult, error) {
	a := l.asks[i]
	r := &askResult{Rate: a.Rate, Outstanding: a.Parallel, Size: a.Size}
	all := newLatency()
	for _, one := range out.ran {
		if len(one.Asks) != len(l.asks) {
			return nil, errors.New("bench: a worker does not say what it asked")
		}
		got := &one.Asks[i]
		r.Sent += got.Sent
		r.Answered += got.Got
		r.Unsent += got.Unsent
		r.TookS = max(r.TookS, time.Duration(got.TookNs).Seconds())
		r.LateMaxUs = max(r.LateMaxUs, got.LateNs/1000)
		if err := all.addPairs(got.Latency); err != nil {
			return nil, err
		}
	}
	if r.TookS > 0 {
		r.PerSecond = float64(r.Answered) / r.TookS
	}
	if e := out.backend; e != nil && a.Kind != askPing {
		r.Ack, r.Replied = d.o.ack, e.replied
		r.PerRead = float64(e.replied) / float64(max(e.reads, 1))
	}
	r.Latency = all.summary()
	r.Latency.curve = all.curve()
	return r, nil
}

func (r *askResult) text(b *strings.Builder, what string) {
	if r == nil {
		return
	}
	pace := fmt.Sprintf("%d at a time", r.Outstanding)
	if r.Rate > 0 {
		pace = fmt.Sprintf("at %g/s, asked at most %v late", r.Rate, micros(r.LateMaxUs))
	}
	size := ""
	if r.Size > 0 {
		size = fmt.Sprintf(" of %d B", r.Size)
	}
	fmt.Fprintf(b, "%-14s %d%s sent, %d answered in %.2f s: %.0f round trips/s, %s\n",
		what, r.Sent, size, r.Answered, r.TookS, r.PerSecond, pace)
	if r.Unsent > 0 {
		fmt.Fprintf(b, "  NOT SENT     %d, as no connection became free for them\n", r.Unsent)
	}
	if r.Replied > 0 {
		ack := ""
		if r.Ack {
			ack = ", acked"
		}
		fmt.Fprintf(b, "  backend      %d replies, %.2f events at once%s\n", r.Replied, r.PerRead, ack)
	}
	r.CPU.text(b)
	fmt.Fprintf(b, "  latency      %v\n", r.Latency)
}

// pushResult is numbered events to single users, to topics, or to all. Each user and each topic has
// numbers of its own. A paced run (Rate over 0) is an open loop: latency counts from the time at
// which a push was due. Without a rate pushes go as fast as the server takes them, and a latency
// would only say how much it queues.
type pushResult struct {
	Dialect   string     `json:"dialect"`
	Size      int        `json:"size"`      // bytes of an event's text
	Rate      float64    `json:"rate"`      // wanted, a second; 0 = as fast as they are taken
	Receivers int        `json:"receivers"` // users among whom those to users are spread
	Burst     int        `json:"burst"`     // pushes in a row to one of them
	Pushed    int64      `json:"pushed"`
	ToUsers   int64      `json:"to_users"`
	ToAll     int64      `json:"to_all"`
	ToTopics  int64      `json:"to_topics"`
	Expected  int64      `json:"expected"`    // deliveries, had nobody ever been away
	TakenS    float64    `json:"taken_s"`     // from the first push until all are answered
	DeliverS  float64    `json:"delivered_s"` // from the first push to the last delivery
	Tally     watchTally `json:"seen"`

	TakenPerSecond     float64 `json:"taken_per_second"`
	DeliveredPerSecond float64 `json:"delivered_per_second"`
	EventsPerBatch     float64 `json:"events_per_batch"`

	LateMaxUs int64           `json:"push_late_max_us"` // how far pushing fell behind its times
	CPU       *cpuCost        `json:"server_cpu,omitempty"`
	Latency   *latencySummary `json:"latency,omitempty"` // of a paced run
}

// pushed is what the workers say of a stream's events.
func (d *driver) pushed(out *outcome, l *load, s *pushStream) (*pushResult, error) {
	r := &pushResult{
		Dialect: d.o.dialect, Size: d.o.size, Receivers: d.o.receivers(),
		Burst: d.o.burst, TakenS: out.sent.Seconds(), LateMaxUs: s.late / 1000,
	}
	for i := range s.feeds {
		f := &s.feeds[i]
		r.Pushed += f.sent
		r.Rate += f.rate
		switch f.kind {
		case streamUser:
			r.ToUsers += f.sent
			r.Expected += f.sent
		case streamAll:
			r.ToAll += f.sent
			r.Expected += f.sent * int64(d.o.conns)
		default:
			r.ToTopics += f.sent
			for topic, n := range s.last.Topics {
				r.Expected += int64(n) * int64(l.members.members(topic, d.o.conns))
			}
		}
	}
	tally, latency, lastAt, err := watched(out)
	if err != nil {
		return nil, err
	}
	r.Tally = *tally
	if r.Rate > 0 {
		sum := latency.summary()
		sum.curve = latency.curve()
		r.Latency = &sum
	}
	r.DeliverS = time.Duration(lastAt - out.start).Seconds()
	r.TakenPerSecond = perSecond(r.Pushed, r.TakenS)
	r.DeliveredPerSecond = perSecond(tally.Events, r.DeliverS)
	r.EventsPerBatch = perSecond(tally.Events, float64(tally.Batches))
	return r, nil
}

// perSecond is n through s, and 0 for nothing.
func perSecond(n int64, s float64) float64 {
	if s <= 0 {
		return 0
	}
	return float64(n) / s
}

// watched adds up what the workers' connections have seen.
func watched(out *outcome) (tally *watchTally, all *latency, lastAt int64, err error) {
	tally, all, lastAt = &watchTally{}, newLatency(), out.start
	for _, one := range out.watched {
		if one.Tally == nil {
			return nil, nil, 0, errors.New("bench: a worker has no tally")
		}
		tally.add(one.Tally)
		lastAt = max(lastAt, one.LastAt)
		if err := all.addPairs(one.Latency); err != nil {
			return nil, nil, 0, err
		}
	}
	return tally, all, lastAt, nil
}

func (r *pushResult) text(b *strings.Builder) {
	if r == nil {
		return
	}
	rate := "as fast as taken"
	if r.Rate > 0 {
		rate = fmt.Sprintf("at %g/s", r.Rate)
	}
	fmt.Fprintf(b, "pushes         %d of %d B by %s %s", r.Pushed, r.Size, r.Dialect, rate)
	for _, to := range []struct {
		n    int64
		text string
	}{
		{r.ToUsers, fmt.Sprintf("to %d users, %d in a row", r.Receivers, r.Burst)},
		{r.ToAll, "to all"}, {r.ToTopics, "to topics"},
	} {
		switch {
		case to.n == r.Pushed && to.n > 0:
			fmt.Fprintf(b, ", %s", to.text)
		case to.n > 0:
			fmt.Fprintf(b, ", %d %s", to.n, to.text)
		}
	}
	fmt.Fprintf(b, "\n  taken        %.0f/s (%.2f s until all were answered)\n", r.TakenPerSecond,
		r.TakenS)
	fmt.Fprintf(b, "  delivered    %.0f/s (%d of %d in %.2f s)\n", r.DeliveredPerSecond,
		r.Tally.Events, r.Expected, r.DeliverS)
	r.Tally.text(b, r.EventsPerBatch)
	r.CPU.text(b)
	if r.Latency != nil {
		fmt.Fprintf(b, "  latency      %v; pushed at most %v late\n", r.Latency, micros(r.LateMaxUs))
	}
}

func (t *watchTally) text(b *strings.Builder, perBatch float64) {
	fmt.Fprintf(b, "  checked      lost %d, doubled %d, reordered %d, told gaps %d, other events %d",
		t.Lost, t.Doubled, t.Reordered, t.Gaps, t.Foreign)
	if t.Strayed > 0 {
		fmt.Fprintf(b, ", to others %d", t.Strayed)
	}
	fmt.Fprintf(b, "\n  batches      %d, %.2f events each\n", t.Batches, perBatch)
}

// joinResult is the users' joining of topics.
type joinResult struct {
	Topics    int      `json:"topics"`
	Each      int      `json:"each"` // topics of one user
	Joins     int64    `json:"joins"`
	PerSecond float64  `json:"per_second"`
	CPU       *cpuCost `json:"server_cpu,omitempty"`
}

func (r *joinResult) text(b *strings.Builder) {
	if r == nil {
		return
	}
	fmt.Fprintf(b, "joins          %d: each user in %d of %d topics, %.0f/s\n", r.Joins, r.Each,
		r.Topics, r.PerSecond)
	r.CPU.text(b)
}

// churnResult is the clients that left and came back, and what they missed.
type churnResult struct {
	Rate   float64 `json:"rate"`   // departures wanted, a second
	KeepS  float64 `json:"keep_s"` // how long the server keeps what an absent client misses
	LateUs int64   `json:"late_max_us"`
	churnTally
	Latency latencySummary `json:"latency"` // from when a client should be back to its handshake
}

// left is what the workers say of those who left.
func left(out *outcome, p *churnPlan) (*churnResult, error) {
	r := &churnResult{Rate: p.Rate, KeepS: p.Keep.Seconds()}
	all := newLatency()
	for _, one := range out.ran {
		if one.Churn == nil {
			return nil, errors.New("bench: a worker does not say who left")
		}
		r.add(one.Churn)
		if err := all.addPairs(one.Returns); err != nil {
			return nil, err
		}
	}
	r.LateUs = r.LateNs / 1000
	r.Latency = all.summary()
	r.Latency.curve = all.curve()
	return r, nil
}

func (r *churnResult) text(b *strings.Builder, t *watchTally) {
	if r == nil {
		return
	}
	fmt.Fprintf(b, "churn          %d left at %g/s, %d came back: %d within %g s, %d later\n",
		r.Left, r.Rate, r.Back, r.Inside, r.KeepS, r.Outside)
	fmt.Fprintf(b, "  lost         inside %d, outside %d, at resets %d; told again after leaving %d\n",
		t.Lost, t.LostOutside, t.LostReset, t.DoubledLeaving)
	fmt.Fprintf(b, "  latency      %v, of returns; left at most %v late\n", r.Latency,
		micros(r.LateUs))
}

func micros(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
