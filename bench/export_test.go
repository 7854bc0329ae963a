package bench

// What black-box tests see of the inside: bytes in, values out.

var (
	ParseUpgrade = parseUpgrade
	AppendFrame  = appendFrame
	AcceptKey    = acceptKey
	LeastSquares = leastSquares
	Shares       = shares
	ErrShort     = errShort
	Kilobytes    = kilobytes
)

func ParseFrame(b []byte) (fin bool, op byte, payload []byte, n int, err error) {
	f, n, err := parseFrame(b)
	return f.fin, f.op, f.payload, n, err
}

// Event is event with exported fields.
type Event struct {
	Numbered, Gap bool
	Run, Number   uint32
	At            int64
}

// ReadMessage reads a whole message: its kind by name, the pong's or reply's callback, the batch's
// events.
func ReadMessage(packer string, b []byte) (kind, cb string, events []Event, err error) {
	var s scanner
	k, c, err := s.start(syntaxes[packer], b)
	if err != nil {
		return "", "", nil, err
	}
	kind = map[messageKind]string{
		messageHandshake: "handshake", messagePing: "ping", messagePong: "pong", messageBatch: "batch",
		messageReply: "reply",
	}[k]
	for k == messageBatch {
		var e event
		more, err := s.nextEvent(&e)
		if err != nil {
			return "", "", nil, err
		}
		if !more {
			break
		}
		events = append(events, Event{e.numbered, e.gap, e.run, e.number, e.at})
	}
	return kind, string(c), events, nil
}

// AppendEvent builds a numbered event as a run pushes it.
func AppendEvent(packer string, run, number uint32, at int64, size int) ([]byte, error) {
	return syntaxes[packer].appendEvent(nil, eventID, event{run: run, number: number, at: at}, size)
}

// Watch shows numbers to a watch as one connection's and returns what it says of them.
func Watch(last uint32, numbers []uint32) (complete bool, lost, doubled, reordered int64) {
	w := newWatch(&watchPlan{Run: 1}, 0, 1)
	for _, n := range numbers {
		w.see(0, &event{numbered: true, run: 1, number: n}, 0)
	}
	l := &lasts{Users: []uint32{last}}
	t := w.tally
	w.addLost(0, l, &t)
	return w.complete(0, l), t.Lost, t.Doubled, t.Reordered
}

// MergeLatency sends times (ns) through two histograms and their travelling form.
func MergeLatency(a, b []int64) (count, p50us, maxus int64, err error) {
	all := newLatency()
	for _, list := range [][]int64{a, b} {
		one := newLatency()
		for _, ns := range list {
			one.record(ns)
		}
		if err := all.addPairs(one.pairs()); err != nil {
			return 0, 0, 0, err
		}
	}
	s := all.summary()
	return s.Count, s.P50, s.Max, nil
}

// BadPairs is what the merge says of histogram slots that cannot be.
func BadPairs(pairs []int64) error { return newLatency().addPairs(pairs) }

// SourcesFor is the local addresses for so many connections to a URL.
func SourcesFor(url string, conns int) ([]string, error) {
	t, err := parseTarget(url)
	if err != nil {
		return nil, err
	}
	return sources(&t, conns)
}

// Upgrade is the request that connection number i of a run to url sends.
func Upgrade(url, csrf string, run uint32, i int) (string, error) {
	t, err := parseTarget(url)
	if err != nil {
		return "", err
	}
	t.Run, t.CSRF, t.First = run, csrf, i
	return string(t.appendUpgrade(nil, 0, "dGhlIHNhbXBsZSBub25jZQ==")), nil
}

// ReadAllocs is what one batch message, read and watched, allocates.
func ReadAllocs(message []byte) func() {
	w, s := newWatch(&watchPlan{Run: 1}, 0, 1), &scanner{}
	return func() {
		if _, _, err := s.start(syntaxes["edn"], message); err != nil {
			panic(err)
		}
		for {
			var e event
			if more, err := s.nextEvent(&e); err != nil || !more {
				break
			}
			w.upTo[0] = e.number - 1
			w.see(0, &e, e.at+1000)
		}
	}
}

// TopicsOf, PlaceOf and MembersOf are the rule of who is in which topic.

func TopicsOf(topics, each, number int) (list []int) {
	for j := range each {
		list = append(list, membership{topics, each}.topic(number, j))
	}
	return list
}

func PlaceOf(topics, each, number, topic int) int {
	return max(membership{topics, each}.place(number, uint32(streamTopic+topic))-streamTopic, -1)
}

func MembersOf(topics, each, topic, conns int) int {
	return membership{topics, each}.members(topic, conns)
}

// WatchAbsences shows numbers up to last to one connection, which comes back at each 0: after a
// time that the server does not keep, or, of resets, after one of those.
func WatchAbsences(last uint32, numbers, resets []uint32) (lost, outside, reset, doubled int64) {
	w := newWatch(&watchPlan{Run: 1, Leaves: true}, 0, 1)
	for why, list := range map[cause][]uint32{causeOutside: numbers, causeReset: resets} {
		for _, n := range list {
			if n == 0 {
				w.why[0] = why
				continue
			}
			w.see(0, &event{numbered: true, run: 1, number: n}, 0)
		}
	}
	var t watchTally
	w.addLost(0, &lasts{Users: []uint32{last}}, &t)
	return t.Lost, t.LostOutside, t.LostReset, w.tally.DoubledLeaving
}

func ParseAnswer(b []byte) (body []byte, last bool, n int, err error) {
	a, n, err := parseAnswer(b)
	return a.body, a.last, n, err
}
