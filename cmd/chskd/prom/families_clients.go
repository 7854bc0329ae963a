package prom

import (
	"github.com/chskd/chskd/engine"
	"github.com/chskd/chskd/metrics"
)

var connections = []family{
	counter("chskd_connections_accepted_total", "TCP connections of clients that were accepted.",
		func(l *metrics.Loop) *metrics.Counter { return &l.ConnsAccepted }),
	{
		name: "chskd_connections", help: "Open TCP connections of clients.", kind: isNow,
		tell: func(s *scrape, series func(float64, ...string)) {
			series(s.sum(func(l *metrics.Loop) *metrics.Counter { return &l.ConnsNow }))
		},
	},
	told("chskd_connections_served", "Open connections that have a place among "+
		"chskd_connections_limit.",
		isNow, func(n *engine.Numbers) float64 { return float64(n.Served) }),
	gauge("chskd_connections_limit", "Connections that may be served at once (--max-conns, or "+
		"what the limit of open files leaves).",
		func(s *scrape) float64 { return float64(s.MaxConns) }),
	{
		name: "chskd_channels", help: "Clients that can be sent something now: open WebSockets and " +
			"long polls that wait, by packer.",
		kind: isNow, labels: []string{"transport", "packer"},
		tell: func(s *scrape, series func(float64, ...string)) {
			eachPacker(s, series, metrics.WS,
				func(l *metrics.Loop) *[metrics.Packers]metrics.Counter { return &l.WSOf })
			eachPacker(s, series, metrics.Ajax,
				func(l *metrics.Loop) *[metrics.Packers]metrics.Counter { return &l.PollsOf })
		},
	},
	counter("chskd_connections_refused_total", "Connections closed at once: no file descriptor "+
		"was left for them.",
		func(l *metrics.Loop) *metrics.Counter { return &l.ConnsRefused }),
	{
		name: "chskd_handshakes_total", help: "Attempts to connect by their result: ok; refused for " +
			"identity (token, origin, client-id, uid), packer, or as malformed. Over Ajax any " +
			"poll that is refused counts.",
		kind: grows, labels: []string{"transport", "result"},
		tell: func(s *scrape, series func(float64, ...string)) {
			for t := range metrics.Transports {
				for h := range metrics.Handshakes {
					if t == metrics.Ajax && h == metrics.HandshakeMalformed {
						continue // chskd_http_malformed_total
					}
					series(s.sum(func(l *metrics.Loop) *metrics.Counter { return &l.Handshakes[t][h] }),
						t.String(), h.String())
				}
			}
		},
	},
	{
		name: "chskd_websocket_closes_total", help: "WebSockets by who closed first, and its code " +
			"(RFC 6455 section 7.4). 1005: a frame without code; 1006: none closed, the connection " +
			"broke; 4410: a gap; 4xxx: other codes of applications.",
		kind: grows, labels: []string{"by", "code"},
		tell: func(s *scrape, series func(float64, ...string)) {
			for c := range metrics.Closes {
				series(s.sum(func(l *metrics.Loop) *metrics.Counter { return &l.ClosesServer[c] }),
					"server", c.String())
				series(s.sum(func(l *metrics.Loop) *metrics.Counter { return &l.ClosesClient[c] }),
					"client", c.String())
			}
			series(s.sum(func(l *metrics.Loop) *metrics.Counter { return &l.ClosesAbnormal }),
				"nobody", "1006")
		},
	},
	counter("chskd_frame_errors_total", "WebSockets closed because their peer broke the protocol, "+
		"or a limit of it.",
		func(l *metrics.Loop) *metrics.Counter { return &l.FrameErrors }),
	counter("chskd_client_pings_total", "Keep-alive pings of clients, each answered.",
		func(l *metrics.Loop) *metrics.Counter { return &l.PingsIn }),
	counter("chskd_server_pings_total", "Keep-alive pings to clients that were silent.",
		func(l *metrics.Loop) *metrics.Counter { return &l.PingsOut }),
	counter("chskd_ping_timeouts_total", "Clients closed because they did not answer a keep-alive "+
		"ping.",
		func(l *metrics.Loop) *metrics.Counter { return &l.PingTimeouts }),
}

var sessions = []family{
	told("chskd_users", "Users that are present.", isNow,
		func(n *engine.Numbers) float64 { return float64(n.Shards.Users) }),
	{
		name: "chskd_users_by_transport", help: "Users that are present over a transport; one may " +
			"be so over both.",
		kind: isNow, labels: []string{"transport"}, asked: true,
		tell: func(s *scrape, series func(float64, ...string)) {
			series(float64(s.numbers.Shards.WSUsers), metrics.WS.String())
			series(float64(s.numbers.Shards.AjaxUsers), metrics.Ajax.String())
		},
	},
	told("chskd_sessions", "Sessions (one client-id of one user): present, kept, or only shaken "+
		"hands with.", isNow,
		func(n *engine.Numbers) float64 { return float64(n.Shards.Sessions) }),
	{
		name: "chskd_sessions_by_transport", help: "Sessions that are present over a transport, " +
			"those in their grace time included; one may be so over both.",
		kind: isNow, labels: []string{"transport"}, asked: true,
		tell: func(s *scrape, series func(float64, ...string)) {
			series(float64(s.numbers.Shards.WS), metrics.WS.String())
			series(float64(s.numbers.Shards.Ajax), metrics.Ajax.String())
		},
	},
	told("chskd_sessions_kept", "Sessions that are away, and get what they missed if they come "+
		"back within --session-keep-ms.", isNow,
		func(n *engine.Numbers) float64 { return float64(n.Shards.Kept) }),
	{
		name: "chskd_session_starts_total", help: "Clients that connected, by where their session " +
			"was: new; in_grace, the user never went; kept, after the grace time; early, while " +
			"a connection of it was still open.",
		kind: grows, labels: []string{"session"}, asked: true,
		tell: func(s *scrape, series func(float64, ...string)) {
			r := &s.numbers.Returns
			series(float64(r.New), "new")
			series(float64(r.InGrace), "in_grace")
			series(float64(r.Kept), "kept")
			series(float64(r.Early), "early")
		},
	},
	counter("chskd_sessions_refused_total", "Sessions refused because their user had as many as "+
		"one may have.",
		func(l *metrics.Loop) *metrics.Counter { return &l.SessionsRefused }),
	told("chskd_sessions_evicted_total", "Kept sessions forgotten early, to make room.", grows,
		func(n *engine.Numbers) float64 { return float64(n.Shards.Evicted) }),
	told("chskd_topics", "Topics that have members; one counts once for each loop that has "+
		"members of it.", isNow,
		func(n *engine.Numbers) float64 { return float64(n.Shards.Topics) }),
	told("chskd_topic_members", "Memberships in topics, of users and of sessions.", isNow,
		func(n *engine.Numbers) float64 { return float64(n.Shards.Members) }),
	{
		name: "chskd_topic_requests_total", help: "Requests of backends to join and leave topics " +
			"that were done, and joins refused because one was in too many.",
		kind: grows, labels: []string{"result"},
		tell: func(s *scrape, series func(float64, ...string)) {
			series(s.sum(func(l *metrics.Loop) *metrics.Counter { return &l.Joins }), "joined")
			series(s.sum(func(l *metrics.Loop) *metrics.Counter { return &l.Leaves }), "left")
			series(s.sum(func(l *metrics.Loop) *metrics.Counter { return &l.JoinsRefused }), "refused")
		},
	},
}

var requests = []family{
	counter("chskd_http_requests_total", "HTTP requests of clients whose head was read, upgrades "+
		"included.",
		func(l *metrics.Loop) *metrics.Counter { return &l.Requests }),
	counter("chskd_http_malformed_total", "HTTP requests that were malformed, too long or too late; "+
		"each ended its connection.",
		func(l *metrics.Loop) *metrics.Counter { return &l.BadRequests }),
	counter("chskd_http_idle_closes_total", "HTTP connections closed because no request came on them.",
		func(l *metrics.Loop) *metrics.Counter { return &l.IdleCloses }),
	counter("chskd_http_timeouts_total", "HTTP requests that did not arrive in time (408).",
		func(l *metrics.Loop) *metrics.Counter { return &l.HeadTimeouts }),
	counter("chskd_http_denied_total", "HTTP requests, upgrades included, refused for their "+
		"identity: token, origin, client-id or uid.",
		func(l *metrics.Loop) *metrics.Counter { return &l.Refused }),
	counter("chskd_polls_total", "Long polls taken.",
		func(l *metrics.Loop) *metrics.Counter { return &l.Polls }),
	counter("chskd_posts_total", "Sends over Ajax.",
		func(l *metrics.Loop) *metrics.Counter { return &l.Posts }),
	counter("chskd_posts_replayed_total", "Sends over Ajax that a browser repeated; each was "+
		"done once.",
		func(l *metrics.Loop) *metrics.Counter { return &l.PostsReplayed }),
	counter("chskd_posts_refused_total", "Sends over Ajax answered :chsk/error: too many waited, "+
		"or the user had too many sessions.",
		func(l *metrics.Loop) *metrics.Counter { return &l.PostsRefused }),
}
