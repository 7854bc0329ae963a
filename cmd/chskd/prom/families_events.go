package prom

import (
	"slices"
	"time"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/engine"
	"github.com/chskd/chskd/metrics"
)

var inbound = []family{
	counter("chskd_received_bytes_total", "Bytes of clients' messages, as they were packed: "+
		"WebSocket payloads and the messages of sends.",
		func(l *metrics.Loop) *metrics.Counter { return &l.BytesIn }),
	counter("chskd_client_events_total", "Events of clients.",
		func(l *metrics.Loop) *metrics.Counter { return &l.EventsIn }),
	counter("chskd_client_events_bad_total", "Values of clients that are no events, told as "+
		":chsk/bad-event.",
		func(l *metrics.Loop) *metrics.Counter { return &l.BadEvents }),
	counter("chskd_undecodable_messages_total", "Messages of clients that their packer cannot read.",
		func(l *metrics.Loop) *metrics.Counter { return &l.Undecodable }),
	counter("chskd_inflate_bombs_total", "Compressed messages that inflate beyond the limit of "+
		"a message.",
		func(l *metrics.Loop) *metrics.Counter { return &l.Bombs }),
	{
		name: "chskd_client_events_dropped_total", help: "Events of clients that some group of " +
			"backends, or all, will not hear: full, no room or no consumer; expired, held too " +
			"long; unheard, nobody wants them.",
		kind: grows, labels: []string{"reason"},
		tell: func(s *scrape, series func(float64, ...string)) {
			series(float64(s.hub.Dropped), "full")
			series(float64(s.hub.Expired), "expired")
			series(float64(s.hub.Unheard), "unheard")
		},
	},
	counter("chskd_client_events_untaken_total", "Events of clients that nobody took when they "+
		"came, or could hold.",
		func(l *metrics.Loop) *metrics.Counter { return &l.EventsDropped }),
	counter("chskd_client_events_rejected_total", "Events of clients that nobody took, and whose "+
		"client was told so (--backend-on-full reject).",
		func(l *metrics.Loop) *metrics.Counter { return &l.Rejections }),
	{
		name: "chskd_reply_seconds", help: "From a client's event to the reply of its backend, in " +
			"steps of a millisecond.",
		histogram: &histogram{of: func(l *metrics.Loop) *metrics.Histogram { return &l.ReplyTimes },
			unit: time.Millisecond.Seconds(), buckets: 17},
	},
	counter("chskd_replies_total", "Answers to clients' callbacks, :chsk/error included.",
		func(l *metrics.Loop) *metrics.Counter { return &l.Replies }),
	counter("chskd_replies_late_total", "Replies of backends for which nobody waits: answered "+
		"already, too late, or the client is gone.",
		func(l *metrics.Loop) *metrics.Counter { return &l.RepliesLate }),
	counter("chskd_reply_timeouts_total", "Callbacks that no backend answered in time.",
		func(l *metrics.Loop) *metrics.Counter { return &l.CallbackTimeouts }),
}

var outbound = []family{
	counter("chskd_sent_bytes_total", "Bytes written to clients, HTTP heads and frame headers "+
		"included.",
		func(l *metrics.Loop) *metrics.Counter { return &l.BytesOut }),
	counter("chskd_pushes_total", "Pushes of backends as the loops took them: one for each user "+
		"that is named, one for each loop if all or a topic are meant.",
		func(l *metrics.Loop) *metrics.Counter { return &l.Pushes }),
	counter("chskd_sent_events_total", "Events in the batches that were handed to connections; "+
		"what is sent again counts again.",
		func(l *metrics.Loop) *metrics.Counter { return &l.BatchEvents.Sum }),
	{
		name: "chskd_batch_events", help: "Events of each batch that was handed to a connection.",
		histogram: &histogram{of: func(l *metrics.Loop) *metrics.Histogram { return &l.BatchEvents },
			unit: 1, buckets: 9},
	},
	{
		name: "chskd_delivery_delay_seconds", help: "From the push of the oldest event of a batch " +
			"until the batch was handed to a connection. What a client was away is in it.",
		histogram: &histogram{of: func(l *metrics.Loop) *metrics.Histogram { return &l.Delays },
			unit: time.Millisecond.Seconds(), buckets: 17},
	},
	counter("chskd_deliveries_late_total", "Batches and answers that fell away, because their "+
		"connection had gone or moved on. What was in a batch is sent again.",
		func(l *metrics.Loop) *metrics.Counter { return &l.DeliveriesLate }),
	{
		name: "chskd_cursor_lag_events", help: "Events that wait for each of some sessions that can " +
			"be sent something: the median, two percentiles and the most. Every scrape looks at " +
			"up to 256 others of each loop.",
		kind: isNow, labels: []string{"rank"}, asked: true, tell: tellLags,
	},
	{
		name: "chskd_cursor_lag_sampled", help: "Sessions of which chskd_cursor_lag_events tells.",
		kind: isNow, asked: true,
		tell: func(s *scrape, series func(float64, ...string)) { series(float64(len(s.lags))) },
	},
	told("chskd_log_oldest_seconds", "Age of the oldest event that some session, be it away, has not "+
		"confirmed.", isNow,
		func(n *engine.Numbers) float64 { return float64(n.Oldest) / 1000 }),
	told("chskd_log_events", "Events in all logs.", isNow,
		func(n *engine.Numbers) float64 { return float64(n.Shards.Entries) }),
	told("chskd_log_bytes", "Bytes of the events in all logs.", isNow,
		func(n *engine.Numbers) float64 { return float64(n.Shards.LogBytes) }),
	{
		name: "chskd_pushed_events_dropped_total", help: "Pushed events that were not sent: gap, once " +
			"for each session that is told that it missed them; superseded and expired, entries " +
			"of logs; untranslatable, for each format that cannot express them.",
		kind: grows, labels: []string{"reason"}, asked: true,
		tell: func(s *scrape, series func(float64, ...string)) {
			series(float64(s.numbers.Shards.GapEvents), "gap")
			series(float64(s.numbers.Shards.Superseded), "superseded")
			series(float64(s.numbers.Shards.Expired), "expired")
			series(s.sum(func(l *metrics.Loop) *metrics.Counter { return &l.Untranslatable }),
				"untranslatable")
		},
	},
	told("chskd_gaps_total", "Times that a session was found to have missed events.", grows,
		func(n *engine.Numbers) float64 { return float64(n.Shards.Gaps) }),
	counter("chskd_gap_closes_total", "Sessions ended because they missed events (--on-gap close).",
		func(l *metrics.Loop) *metrics.Counter { return &l.GapCloses }),
	counter("chskd_stalls_total", "WebSockets that took nothing more, until they do again.",
		func(l *metrics.Loop) *metrics.Counter { return &l.Stalls }),
	counter("chskd_stall_closes_total", "Connections closed because they took nothing for 30 s, or "+
		"asked on and on and did not read the answers.",
		func(l *metrics.Loop) *metrics.Counter { return &l.StallCloses }),
}

// tellLags tells the ranks of a sample. Of nobody, all are 0.
func tellLags(s *scrape, series func(float64, ...string)) {
	lags := slices.Sorted(slices.Values(s.lags))
	for _, r := range []struct {
		name    string
		percent int
	}{{"p50", 50}, {"p90", 90}, {"p99", 99}, {"max", 100}} {
		v := uint64(0)
		if n := len(lags); n > 0 {
			v = lags[(n*r.percent+99)/100-1] // nearest rank
		}
		series(float64(v), r.name)
	}
}

var hub = []family{
	ofHub("chskd_backend_consumers", "Event streams of backends.", isNow,
		func(h *backend.HubStats) float64 { return float64(h.Consumers) }),
	ofHub("chskd_backend_groups", "Groups of backends, the default one included.", isNow,
		func(h *backend.HubStats) float64 { return float64(h.Groups) }),
	ofHub("chskd_backend_held_events", "Events that wait for a first consumer.", isNow,
		func(h *backend.HubStats) float64 { return float64(h.Held) }),
	ofHub("chskd_backend_queued_events", "Events and changes of presence that wait for a consumer, "+
		"are being written or not acked.", isNow,
		func(h *backend.HubStats) float64 { return float64(h.Queued) }),
	ofHub("chskd_backend_unacked_events", "Events that were written to consumers and are not "+
		"acked.", isNow,
		func(h *backend.HubStats) float64 { return float64(h.Unacked) }),
	ofHub("chskd_backend_memory_events", "Events in memory for backends; one for several groups "+
		"counts once.", isNow,
		func(h *backend.HubStats) float64 { return float64(h.Items) }),
	ofHub("chskd_backend_snapshots", "Consumers that are being told who is online.", isNow,
		func(h *backend.HubStats) float64 { return float64(h.Snapshots) }),
	ofHub("chskd_backend_resyncs_total", "Tellings of who is online that had to begin again: too "+
		"much changed meanwhile.", grows,
		func(h *backend.HubStats) float64 { return float64(h.Resyncs) }),
	ofHub("chskd_backend_moving_slots", "Slots of users that are on the move from one consumer to "+
		"another.", isNow,
		func(h *backend.HubStats) float64 { return float64(h.Moving) }),
	ofHub("chskd_backend_events_total", "Events of clients that were offered to backends.", grows,
		func(h *backend.HubStats) float64 { return float64(h.Events) }),
	ofHub("chskd_backend_lines_total", "Lines written to consumers, but for the greeting.", grows,
		func(h *backend.HubStats) float64 { return float64(h.Delivered) }),
	ofHub("chskd_backend_acked_events_total", "Events that consumers acked.", grows,
		func(h *backend.HubStats) float64 { return float64(h.Acked) }),
	ofHub("chskd_backend_redelivered_events_total", "Events given again, because their consumer "+
		"went without an ack.", grows,
		func(h *backend.HubStats) float64 { return float64(h.Redelivered) }),
	ofHub("chskd_backend_gaps_total", "Gaps that were told to consumers.", grows,
		func(h *backend.HubStats) float64 { return float64(h.Gaps) }),
	ofHub("chskd_backend_missed_events_total", "Events missed in the gaps that consumers were told.", grows,
		func(h *backend.HubStats) float64 { return float64(h.Missed) }),
	ofHub("chskd_backend_moved_slots_total", "Slots of users that changed their consumer.", grows,
		func(h *backend.HubStats) float64 { return float64(h.Moved) }),
	ofHub("chskd_backend_consumers_cut_total", "Consumers cut because they left their socket full "+
		"for too long.", grows,
		func(h *backend.HubStats) float64 { return float64(h.Cut) }),
	ofHub("chskd_backend_ack_timeouts_total", "Consumers cut because they did not ack for too long.",
		grows, func(h *backend.HubStats) float64 { return float64(h.AckTimeouts) }),
}
