package backend

import "github.com/chskd/chskd/packer"

// following says whose presence a consumer hears.
type following uint8

const (
	followNone  following = iota
	followSlots           // of the users whose events it gets
	followAll
)

// consumer is one stream of events. Owner: the hub's mutex, except what is said to be constant.
type consumer struct {
	id       string        // constant
	group    *group        // constant
	format   packer.Format // constant
	presence following     // constant
	wake     chan struct{} // constant; one token = there may be something to take

	queue *queue
	slots int // how many it is to have

	// The snapshot of who is online: positions of hub.present below scan are told.
	scanning bool
	resync   bool // it starts again, and the consumer must be told so
	scan     uint32
	resyncs  uint64
}

// wakeUp never blocks.
func (c *consumer) wakeUp() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// follows tells whether presence of the users of a slot is for this consumer.
func (c *consumer) follows(slot uint16) bool {
	return c.presence == followAll || c.group.slots[slot].owner == c
}

// moved says that a slot came or went.
func (c *consumer) moved() {
	if c.presence == followSlots {
		c.rescan()
	}
}

// rescan starts the snapshot again. One that has told nothing yet just goes on.
func (c *consumer) rescan() {
	if c.scanning && c.scan == 0 {
		return
	}
	c.scanning, c.resync, c.scan = true, true, 0
	c.resyncs++
	c.wakeUp()
}

// settle says that an item was written.
func (c *consumer) settle(it *item) {
	c.queue.settle(it)
	if it.kind <= kindBadEvent {
		s := &c.group.slots[it.slot]
		s.queued--
		s.settle()
	}
	if it.refs == 0 {
		it.recycle()
	}
}
