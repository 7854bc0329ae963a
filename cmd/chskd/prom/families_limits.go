package prom

import "github.com/chskd/chskd/metrics"

// What is held back and refused so that the rest goes on.
var limits = []family{
	byHold("chskd_connections_held_total", "Connections and handshakes held back, by what they "+
		"waited for: connections, all places are taken (--max-conns); address, those of one address "+
		"are; rate and address_rate, too many handshakes a second; behind, the loop had too much to "+
		"do. One may wait for several.",
		func(l *metrics.Loop) *[metrics.Holds]metrics.Counter { return &l.Held }),
	byHold("chskd_connections_shed_total", "Connections and handshakes refused after that, or at once "+
		"where too many were held: 429 for address and address_rate, else 503. Of one address also "+
		"those closed without a word, because it had too many open that asked for nothing.",
		func(l *metrics.Loop) *[metrics.Holds]metrics.Counter { return &l.Shed }),
	counter("chskd_connections_denied_total", "Connections closed at once by the list of denied "+
		"addresses, or because only trusted proxies may connect.",
		func(l *metrics.Loop) *metrics.Counter { return &l.ConnsDenied }),
	counter("chskd_requests_denied_total", "HTTP requests refused by the lists of allowed and denied "+
		"addresses (403).",
		func(l *metrics.Loop) *metrics.Counter { return &l.RequestsDenied }),
	counter("chskd_proxy_headers_bad_total", "Connections closed because their PROXY header was wrong "+
		"or late.",
		func(l *metrics.Loop) *metrics.Counter { return &l.ProxyHeadersBad }),
	counter("chskd_client_events_limited_total", "Events and further pings of clients that said too "+
		"much, dropped.",
		func(l *metrics.Loop) *metrics.Counter { return &l.EventsLimited }),
	counter("chskd_client_limit_closes_total", "WebSockets closed for that (1008).",
		func(l *metrics.Loop) *metrics.Counter { return &l.LimitCloses }),
	counter("chskd_pongs_dropped_total", "Protocol pings not answered because their peer does not "+
		"read what it is sent.",
		func(l *metrics.Loop) *metrics.Counter { return &l.PongsDropped }),
	{
		name: "chskd_loops_behind", help: "Loops that have too much to do: they hold what is new " +
			"until they have caught up.",
		kind: isNow,
		tell: func(s *scrape, series func(float64, ...string)) {
			series(s.sum(func(l *metrics.Loop) *metrics.Counter { return &l.BehindNow }))
		},
	},
}

// byHold is a counter of the loops by what was waited for.
func byHold(name, help string, of func(*metrics.Loop) *[metrics.Holds]metrics.Counter) family {
	return family{
		name: name, help: help, kind: grows, labels: []string{"reason"},
		tell: func(s *scrape, series func(float64, ...string)) {
			for h := range metrics.Holds {
				series(s.sum(func(l *metrics.Loop) *metrics.Counter { return &of(l)[h] }), h.String())
			}
		},
	}
}
