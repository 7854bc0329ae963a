package bench

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Limits of a run, so that a slip of the hand ends as an error and not as a day's load.
const (
	connsMax    = 2_000_000
	durationMax = time.Hour
	timeoutMax  = 10 * time.Minute
	countMax    = 1 << 31 // pings, echoes, pushes to single users
	eventsMax   = 1 << 20 // broadcasts: each number may be remembered for a connection
	rateMax     = 100_000 // broadcasts a second
	pushRateMax = 10_000_000
	burstMax    = 1 << 16
	postersMax  = 4096
	topicsMax   = 1 << 20
	sizeMin     = 64 // bytes of an event: what its numbers need, and a little
	sizeMax     = 32 << 10
)

// options is what the flags of all scenarios say. Immutable after check.
type options struct {
	url       string
	conns     int
	duration  time.Duration
	timeout   time.Duration // connect and handshake of a step, last answers, each push
	window    int           // handshakes at a time
	packer    string
	pids      []int
	apiSocket string
	csrf      string
	origin    string
	sources   []string
	perProc   int

	from, step int // idle
	settle     time.Duration

	outstanding, count int // ping, echo
	ack, app           bool

	rate   float64 // of the scenario's own operation
	events int
	size   int
	flush  bool

	dialect      string // all that push
	users, burst int
	uid          string

	polls   int // percent of the clients
	posters int

	topics, each int // topic, mixed

	away, keep time.Duration // churn, mixed
	beyond     float64       // percent
	longAway   time.Duration
	how        []string
	mix        mix

	out outputs
}

// mix is what happens at a time besides pushes to users, each a second.
type mix struct {
	pings, echoes, posts, pushes, broadcasts, topics, leaves float64
}

// check refuses what is out of bounds; scenario-specific options that a scenario has no flag for
// keep their harmless zero.
func (o *options) check() error {
	switch {
	case o.conns < 1 || o.conns > connsMax:
		return fmt.Errorf("bench: --conns must be 1 to %d", connsMax)
	case o.duration <= 0 || o.duration > durationMax:
		return fmt.Errorf("bench: --duration must be positive and at most %v", durationMax)
	case o.timeout <= 0 || o.timeout > timeoutMax:
		return fmt.Errorf("bench: --timeout must be positive and at most %v", timeoutMax)
	case o.settle < 0 || o.settle > timeoutMax:
		return fmt.Errorf("bench: --settle must be 0 to %v", timeoutMax)
	case o.window < 1:
		return errors.New("bench: --window must be at least 1")
	case o.from < 0 || o.from > o.conns || o.step < 0:
		return errors.New("bench: --from must be 0 to --conns, and --step not negative")
	case o.outstanding < 0 || o.outstanding > o.conns || o.count < 0 || o.count > countMax:
		return fmt.Errorf("bench: --outstanding must be 0 to --conns, --count 0 to %d", countMax)
	case o.polls < 0 || o.polls > 100:
		return errors.New("bench: --polls must be 0 to 100 percent")
	case o.rate < 0 || o.rate > pushRateMax || o.mix.most() > pushRateMax:
		return fmt.Errorf("bench: a rate must be 0 to %d a second", pushRateMax)
	case o.mix.least() < 0:
		return errors.New("bench: a rate must not be negative")
	}
	if err := o.checkPosts(); err != nil {
		return err
	}
	_, err := newCodec(o.packer)
	return err
}

func (m *mix) most() float64 {
	return max(m.pings, m.echoes, m.posts, m.pushes, m.broadcasts, m.topics, m.leaves)
}

func (m *mix) least() float64 {
	return min(m.pings, m.echoes, m.posts, m.pushes, m.broadcasts, m.topics, m.leaves)
}

// checkPosts gives POSTs the connections that they need.
func (o *options) checkPosts() error {
	if o.mix.posts == 0 {
		o.posters = 0
		return nil
	}
	if o.conns*o.polls/100 == 0 {
		return errors.New("bench: --posts need clients that poll: give --polls")
	}
	if o.posters < 0 || o.posters > postersMax {
		return fmt.Errorf("bench: --posters must be 0 to %d", postersMax)
	}
	if o.posters == 0 {
		o.posters = min(64, o.conns)
	}
	return nil
}

// checkBroadcast is check for what only broadcast has.
func (o *options) checkBroadcast() error {
	switch {
	case o.rate <= 0 || o.rate > rateMax:
		return fmt.Errorf("bench: --rate must be over 0 and at most %d", rateMax)
	case o.size < sizeMin || o.size > sizeMax:
		return fmt.Errorf("bench: --size must be %d to %d", sizeMin, sizeMax)
	case o.broadcasts() < 1 || o.broadcasts() > eventsMax:
		return fmt.Errorf("bench: --rate times --duration must give 1 to %d broadcasts", eventsMax)
	}
	return nil
}

// broadcasts is how many events are pushed in all.
func (o *options) broadcasts() int {
	n := int(o.rate * o.duration.Seconds())
	if o.events > 0 {
		n = min(n, o.events)
	}
	return n
}

// checkPush is check for what only push has.
func (o *options) checkPush() error {
	switch {
	case o.apiSocket == "":
		return errors.New("bench: pushes need --api-socket")
	case o.dialect != "line" && o.dialect != "http":
		return fmt.Errorf("bench: --dialect %q: line or http", o.dialect)
	case o.size < sizeMin || o.size > sizeMax:
		return fmt.Errorf("bench: --size must be %d to %d", sizeMin, sizeMax)
	case o.users < 0 || o.users > o.conns:
		return errors.New("bench: --users must be 0 to --conns")
	case o.burst < 1 || o.burst > burstMax:
		return fmt.Errorf("bench: --burst must be 1 to %d", burstMax)
	case o.uid != "" && strings.Count(o.uid, "{i}") != 1:
		return fmt.Errorf("bench: --uid %q must hold {i} once", o.uid)
	case o.events < 0 || o.pushes() < 1 || o.pushes() > countMax:
		return fmt.Errorf("bench: --rate times --duration must give 1 to %d pushes", countMax)
	}
	return nil
}

// pushes is how many pushes there are at most.
func (o *options) pushes() int64 {
	n := int64(countMax)
	if o.rate > 0 {
		n = int64(o.rate * o.duration.Seconds())
	}
	if o.events > 0 {
		n = min(n, int64(o.events))
	}
	return n
}

// receivers is how many users get pushes: the first ones.
func (o *options) receivers() int {
	if o.users > 0 {
		return o.users
	}
	return o.conns
}

// checkEcho is check for what only echo has.
func (o *options) checkEcho() error {
	if o.apiSocket == "" && !o.app {
		return errors.New("bench: echo needs --api-socket, or --app if the application answers")
	}
	if o.size < echoMin || o.size > sizeMax {
		return fmt.Errorf("bench: --size must be %d to %d", echoMin, sizeMax)
	}
	return nil
}

// echoSize is the letters of an echo where --size is of events.
func (o *options) echoSize() int { return max(o.size, echoMin) }

// checkTopics is check for topics.
func (o *options) checkTopics() error {
	if o.topics < 1 || o.topics > topicsMax || o.each < 1 || o.each > o.topics {
		return fmt.Errorf("bench: --topics must be 1 to %d, and --each 1 to --topics", topicsMax)
	}
	return nil
}

func (o *options) members() membership { return membership{Topics: o.topics, Each: o.each} }

// checkChurn is check for clients that come and go. Those who are to be back in time must be so
// for sure.
func (o *options) checkChurn() error {
	if o.longAway == 0 {
		o.longAway = o.keep + o.keep/2 + 3*time.Second
	}
	switch {
	case o.mix.leaves <= 0:
		return errors.New("bench: --leaves must be over 0")
	case o.polls == 100:
		return errors.New("bench: only WebSocket clients come and go: --polls must be below 100")
	case o.beyond < 0 || o.beyond > 100:
		return errors.New("bench: --beyond must be 0 to 100 percent")
	case o.away < 0 || o.keep > timeoutMax || o.away > o.keep/2:
		return fmt.Errorf("bench: --away must be at most half of --keep, and that at most %v",
			timeoutMax)
	case o.longAway < o.keep || o.longAway > timeoutMax:
		return fmt.Errorf("bench: --long-away must be over --keep and at most %v", timeoutMax)
	case len(o.how) == 0:
		return errors.New("bench: --how is empty")
	}
	for _, how := range o.how {
		switch leaving(how) {
		case leaveClose, leaveFin, leaveReset:
		default:
			return fmt.Errorf("bench: --how %q: close, fin or reset", how)
		}
	}
	return nil
}

func (o *options) churn() *churnPlan {
	p := &churnPlan{Rate: o.mix.leaves, Away: o.away, Keep: o.keep, Beyond: o.beyond / 100}
	if o.beyond > 0 {
		p.Long = o.longAway
	}
	for _, how := range o.how {
		p.How = append(p.How, leaving(how))
	}
	return p
}

// checkMix is check for the parts of a mix that has them.
func (o *options) checkMix() error {
	if o.mix.most() == 0 {
		return errors.New("bench: a mix of nothing")
	}
	var err error
	if o.mix.leaves > 0 {
		err = o.checkChurn()
	}
	if o.mix.topics > 0 {
		err = errors.Join(err, o.checkTopics())
	}
	if o.mix.broadcasts > rateMax {
		err = errors.Join(err, fmt.Errorf("bench: --broadcasts must be at most %d", rateMax))
	}
	return err
}

// target is the server with what the flags say about how to present oneself.
func (o *options) target() (target, error) {
	t, err := parseTarget(o.url)
	if err != nil {
		return t, err
	}
	t.Polls = o.polls
	t.Packer, t.CSRF, t.Origin, t.Sources = o.packer, o.csrf, o.origin, o.sources
	t.Run = rand.Uint32()
	if len(t.Sources) == 0 {
		t.Sources, err = sources(&t, o.conns+o.posters)
	}
	return t, err
}

// server is the processes whose use is measured: those named, else the one behind the API socket.
func (o *options) server() (server, error) {
	pids := o.pids
	if len(pids) == 0 && o.apiSocket != "" {
		pid, err := socketPID(o.apiSocket)
		if err != nil {
			return nil, err
		}
		pids = []int{pid}
	}
	for _, pid := range pids {
		if err := checkServerFiles(pid, (o.conns+o.posters)/len(pids)); err != nil {
			return nil, err
		}
	}
	return server(pids), nil
}
