package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The scenarios, each a load and what is said of it. idle has a file of its own.

func pingRun(ctx context.Context, d *driver) error {
	return d.askRun(ctx, &load{}, askPing, min(64, d.o.conns), &d.report.Ping)
}

func echoRun(ctx context.Context, d *driver) error {
	if err := d.o.checkEcho(); err != nil {
		return err
	}
	return d.askRun(ctx, &load{backend: !d.o.app}, askEcho, d.o.conns, &d.report.Echo)
}

// askRun asks questions of one kind and nothing else.
func (d *driver) askRun(ctx context.Context, l *load, kind askKind, outstanding int,
	to **askResult,
) error {
	a := askPlan{Kind: kind, Rate: d.o.rate, Count: int64(d.o.count), Size: d.o.size}
	if a.Rate == 0 {
		if a.Parallel = d.o.outstanding; a.Parallel == 0 {
			a.Parallel = outstanding
		}
	}
	l.asks = []askPlan{a}
	out, err := d.play(ctx, l)
	if err != nil {
		return err
	}
	r, err := d.asked(out, l, 0)
	if err == nil {
		r.CPU = d.cost(out.used, r.Sent, out.took)
		*to = r
	}
	return err
}

func broadcastRun(ctx context.Context, d *driver) error {
	if err := d.o.checkBroadcast(); err != nil {
		return err
	}
	b := &broadcaster{d: d, pushed: d.o.broadcasts(), min: -1, max: -1}
	out, err := d.play(ctx, &load{source: b})
	if err != nil {
		return err
	}
	d.report.Broadcast, err = b.result(out)
	return err
}

func pushRun(ctx context.Context, d *driver) error {
	if err := d.o.checkPush(); err != nil {
		return err
	}
	return d.pushOnly(ctx, &load{}, feed{kind: streamUser, rate: d.o.rate, total: d.o.pushes()})
}

func topicRun(ctx context.Context, d *driver) error {
	if err := errors.Join(d.o.checkPush(), d.o.checkTopics()); err != nil {
		return err
	}
	l := &load{members: d.o.members()}
	return d.pushOnly(ctx, l, feed{kind: streamTopic, rate: d.o.rate, total: d.o.pushes()})
}

// pushOnly pushes one kind of events while the connections only listen.
func (d *driver) pushOnly(ctx context.Context, l *load, f feed) error {
	s := newPushStream(d, f)
	l.source = s
	out, err := d.play(ctx, l)
	if err != nil {
		return err
	}
	r, err := d.pushed(out, l, s)
	if err != nil {
		return err
	}
	d.report.Push = r
	operations := r.Pushed
	if l.members.Topics > 0 {
		operations = r.Tally.Events
	}
	r.CPU = d.cost(out.used, operations, out.took)
	return nil
}

// pollRun pushes to clients that poll while they POST.
func pollRun(ctx context.Context, d *driver) error {
	if err := d.o.checkPush(); err != nil {
		return err
	}
	l := &load{backend: d.o.mix.posts > 0}
	if d.o.mix.posts > 0 {
		l.asks = []askPlan{{Kind: askPost, Rate: d.o.mix.posts, Size: d.o.echoSize()}}
	}
	return d.mixRun(ctx, l, feed{kind: streamUser, rate: d.o.rate, total: d.o.pushes()})
}

// churnRun pushes to clients that come and go.
func churnRun(ctx context.Context, d *driver) error {
	if err := errors.Join(d.o.checkPush(), d.o.checkChurn()); err != nil {
		return err
	}
	l := &load{churn: d.o.churn()}
	return d.mixRun(ctx, l, feed{kind: streamUser, rate: d.o.rate, total: d.o.pushes()})
}

// mixedRun does everything at once, at rates of its own.
func mixedRun(ctx context.Context, d *driver) error {
	if err := errors.Join(d.o.checkPush(), d.o.checkMix()); err != nil {
		return err
	}
	m := &d.o.mix
	l := &load{backend: m.echoes+m.posts > 0}
	for _, a := range []askPlan{
		{Kind: askPing, Rate: m.pings},
		{Kind: askEcho, Rate: m.echoes, Size: d.o.echoSize()},
		{Kind: askPost, Rate: m.posts, Size: d.o.echoSize()},
	} {
		if a.Rate > 0 {
			l.asks = append(l.asks, a)
		}
	}
	if m.leaves > 0 {
		l.churn = d.o.churn()
	}
	if m.topics > 0 {
		l.members = d.o.members()
	}
	return d.mixRun(ctx, l,
		feed{kind: streamUser, rate: m.pushes}, feed{kind: streamAll, rate: m.broadcasts},
		feed{kind: streamTopic, rate: m.topics})
}

// mixRun plays a load of several parts, and accounts for each and for all of them.
func (d *driver) mixRun(ctx context.Context, l *load, feeds ...feed) error {
	s := newPushStream(d, feeds...)
	if len(s.feeds) > 0 {
		l.source = s
	}
	out, err := d.play(ctx, l)
	if err != nil {
		return err
	}
	var operations int64
	for i, a := range l.asks {
		r, err := d.asked(out, l, i)
		if err != nil {
			return err
		}
		operations += r.Sent
		*map[askKind]**askResult{
			askPing: &d.report.Ping, askEcho: &d.report.Echo, askPost: &d.report.Post,
		}[a.Kind] = r
	}
	if l.source != nil {
		r, err := d.pushed(out, l, s)
		if err != nil {
			return err
		}
		operations += r.Tally.Events
		d.report.Push = r
	}
	if l.churn != nil {
		r, err := left(out, l.churn)
		if err != nil {
			return err
		}
		operations += r.Left
		d.report.Churn = r
	}
	d.report.CPU = d.cost(out.used, operations, out.took)
	return nil
}

// join puts the users into their topics, all before the first push.
func (d *driver) join(ctx context.Context, m membership) error {
	if m.Topics == 0 {
		return nil
	}
	d.monitor.phase("joining")
	r := &joinResult{Topics: m.Topics, Each: m.Each, Joins: int64(d.o.conns * m.Each)}
	used, took, err := d.measure(func() error {
		rejected, err := sendLines(ctx, d.o.apiSocket, newJoinStream(d, m), d.o.timeout)
		return errors.Join(rejected.err(), err)
	})
	if err != nil {
		return fmt.Errorf("bench: joining topics: %w", err)
	}
	r.PerSecond = float64(r.Joins) / max(took.Seconds(), float64(time.Microsecond)/1e9)
	r.CPU = d.cost(used, r.Joins, took)
	d.report.Join = r
	return nil
}
