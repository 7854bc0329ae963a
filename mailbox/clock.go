package mailbox

import (
	"sync"
	"time"
)

// Resolution is how long a wake-up of Clock may come after its time, so that many
// deadlines near each other share one turn.
const Resolution = 4 * time.Millisecond

// Clock is the one source of ticks: each loop tells it by At when it next needs
// a turn, and Run, on one goroutine, wakes the loop then. A process whose loops
// need nothing sleeps.
//
// Any goroutine.
type Clock struct {
	start time.Time
	wake  []func()
	kick  chan struct{}

	mu     sync.Mutex
	due    []uint32
	armed  []bool
	asleep bool   // Run sleeps until wakeAt, or for ever if !sleeping
	until  uint32 // when it gets up
	timed  bool
}

// NewClock makes a clock for one loop per function in wake.
func NewClock(wake []func()) *Clock {
	return &Clock{
		start: time.Now(),
		wake:  wake,
		kick:  make(chan struct{}, 1),
		due:   make([]uint32, len(wake)),
		armed: make([]bool, len(wake)),
	}
}

// Now is the time in milliseconds since the clock was made. It wraps after 49
// days; compare two times by the sign of their difference.
func (c *Clock) Now() uint32 { return uint32(time.Since(c.start) / time.Millisecond) }

// Read is Now together with the time of day, from one look at the system's clock.
func (c *Clock) Read() (now uint32, wall time.Time) {
	wall = time.Now()
	return uint32(wall.Sub(c.start) / time.Millisecond), wall
}

// At says that loop needs a turn at due, or before if it asked for an earlier one
// that has not come yet.
func (c *Clock) At(loop int, due uint32) {
	c.mu.Lock()
	if c.armed[loop] && int32(due-c.due[loop]) >= 0 {
		c.mu.Unlock()
		return
	}
	c.armed[loop], c.due[loop] = true, due
	kick := c.asleep && (!c.timed || int32(due-c.until) < 0)
	if kick {
		c.asleep = false
	}
	c.mu.Unlock()
	if kick {
		select {
		case c.kick <- struct{}{}:
		default:
		}
	}
}

// Run wakes loops at their times until stop is closed.
func (c *Clock) Run(stop <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait, timed := c.round()
		if timed {
			timer.Reset(wait)
		}
		var tick <-chan time.Time
		if timed {
			tick = timer.C
		}
		select {
		case <-stop:
			return
		case <-c.kick:
		case <-tick:
		}
	}
}

// Ring wakes every loop whose time has come at now. Run does it; a simulation that
// has a time of its own calls it instead of Run.
func (c *Clock) Ring(now uint32) {
	for i := range c.due {
		c.mu.Lock()
		due := c.armed[i] && int32(now-c.due[i]) >= 0
		if due {
			c.armed[i] = false
		}
		c.mu.Unlock()
		if due {
			c.wake[i]()
		}
	}
}

// Next is the earliest time that any loop asked for; ok is false when none did.
func (c *Clock) Next() (due uint32, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next()
}

func (c *Clock) next() (due uint32, ok bool) {
	for i := range c.due {
		if c.armed[i] && (!ok || int32(c.due[i]-due) < 0) {
			due, ok = c.due[i], true
		}
	}
	return due, ok
}

// round wakes every loop whose time has come and tells how long to sleep.
func (c *Clock) round() (wait time.Duration, timed bool) {
	now := c.Now()
	c.Ring(now)
	c.mu.Lock()
	defer c.mu.Unlock()
	next, timed := c.next()
	c.asleep, c.timed, c.until = true, timed, next
	wait = time.Duration(int32(next-now)) * time.Millisecond
	if wait < Resolution {
		// Deadlines come in crowds: let those of the next few milliseconds share a
		// turn instead of waking the loop for each.
		wait = Resolution
	}
	return wait, timed
}
