package backend

import "time"

// The bounds of the hub, as those of limits.go.
const (
	// HoldMaxDefault is how long an event is held while its group has no consumer: a backend's
	// restart with time to spare. Over it: the oldest are dropped and told as a gap.
	HoldMaxDefault = 60 * time.Second

	// AckTimeoutDefault is how long a consumer may have an event without acking it. Over it: the
	// consumer is cut, and the event goes to the others or is held.
	AckTimeoutDefault = 60 * time.Second

	takeChunk  = 1024                   // entries given to a writer under the hub's mutex at once
	tickEvery  = 250 * time.Millisecond // the hub's clock
	fenceAfter = time.Second            // then slots that do not come to rest by themselves are fenced
	groupKeep  = 5 * time.Minute        // then nothing is held for a group that others outlive
)
