package prom

import (
	"time"

	"github.com/chskd/chskd/metrics"
)

// identities are about who clients are, as far as that is found out apart from the loops
// and ends with time.
var identities = []family{
	counter("chskd_identity_waits_total", "Requests that waited until it was found out who they are; "+
		"what was known already did not.",
		func(l *metrics.Loop) *metrics.Counter { return &l.Verifies }),
	{
		name: "chskd_identity_seconds", help: "How long they waited, in steps of a millisecond.",
		histogram: &histogram{of: func(l *metrics.Loop) *metrics.Histogram { return &l.VerifyTimes },
			unit: time.Millisecond.Seconds(), buckets: 17},
	},
	counter("chskd_identity_timeouts_total", "Requests that waited in vain (503).",
		func(l *metrics.Loop) *metrics.Counter { return &l.VerifyTimeouts }),
	counter("chskd_identity_late_total", "Answers about requests that were gone.",
		func(l *metrics.Loop) *metrics.Counter { return &l.VerifiedLate }),
	counter("chskd_identity_notices_total", "WebSockets that were told that their identity expires "+
		"soon.",
		func(l *metrics.Loop) *metrics.Counter { return &l.ExpiryNotices }),
	counter("chskd_identity_expired_total", "WebSockets closed (4401), and long polls answered, "+
		"because their identity had expired.",
		func(l *metrics.Loop) *metrics.Counter { return &l.ExpiryCloses }),
}
