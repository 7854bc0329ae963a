package config

// The rows of the table, in the order of the struct. identity.go has those of who a client is.

const (
	minute = 60_000
	hour   = 60 * minute
	day    = 24 * hour

	billion = 1_000_000_000 // for numbers that need no bound: there is none to count so far
)

var places = []*Key{
	{Path: "listen", Example: "0.0.0.0:8080",
		Doc:  "address to listen on, host:port; port 0 lets the kernel choose",
		form: hostPort, write: "host:port, as 127.0.0.1:8080"},
	{Path: "reuse_port", Example: "true",
		Doc: "let several chskd of one system user listen on the same address: the kernel spreads " +
			"connections over them, and each has users and an API socket of its own"},
	{Path: "path", Example: "/live",
		Doc:  "path of the channel socket; PATH/NAME chooses a packer",
		form: webPath, write: "a path that must start with / and has no ?, # or space, as /chsk"},
	{Path: "api_socket", Example: "/run/chskd/chskd.sock",
		Doc: "Unix socket for backends (default: chskd.sock in $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR, " +
			"/run/chskd for root or /tmp/chskd-<user id>)",
		form: socketPath, write: "the path of a socket, as /run/chskd/chskd.sock"},
	{Path: "metrics_listen", Example: "127.0.0.1:9464",
		Doc: "address that serves /metrics for Prometheus, host:port; whoever reaches it can read " +
			"it (default: only the API socket has them)",
		form: hostPort, write: "host:port, as 127.0.0.1:9464"},
	{Path: "loops", Example: "4", Most: 256,
		Doc: "event loops; 0 is one per CPU, which is right"},
	{Path: "log_level", Example: "debug", OneOf: []string{"debug", "info", "warn", "error"},
		Doc: "debug, info, warn or error"},
	{Path: "demo", Example: "true",
		Doc: "serve a chat page at / with a small backend behind it (sets auth to dev)"},
	{Path: "debug_echo", Example: "/echo",
		Doc:  "path of a WebSocket that echoes, for conformance suites (default: none)",
		form: webPath, write: "a path that begins with / and is not below that of the channel socket"},
}

var packers = []*Key{
	{Path: "packer", Example: "transit", OneOf: packerNames(),
		Doc:   "packer of clients that do not choose one",
		write: "one of " + join(packerNames())},
	{Path: "allowed_packers", Example: "edn,transit", OneOf: append([]string{"all"}, packerNames()...),
		Doc:   "packers that clients may choose, by ?packer=NAME or PATH/NAME: all, or some",
		write: "all, or a list of some of " + join(packerNames())},
}

var addresses = []*Key{
	{Path: "trusted_proxies", Example: "127.0.0.1,10.0.0.0/8",
		Doc: "addresses and networks of proxies: their X-Forwarded-For, PROXY header and header-mode " +
			"fields count, those of others do not",
		write: prefixes},
	{Path: "proxy_protocol", Example: "true",
		Doc: "every connection must begin with a PROXY header (version 1 or 2) and come from " +
			"trusted_proxies"},
	{Path: "allow_addresses", Example: "192.0.2.0/24,2001:db8::/32",
		Doc:   "when not empty, only these addresses and networks may connect; others are refused",
		write: prefixes},
	{Path: "deny_addresses", Example: "198.51.100.7",
		Doc: "addresses and networks that are refused, whatever allow_addresses says: " +
			"closed at once, with 403 behind a proxy",
		write: prefixes},
}

const prefixes = "an address or a network, as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32"

var limits = []*Key{
	{Path: "max_conns", Example: "10000", Most: billion,
		Doc: "connections served at once; more are held back, then refused (0: as many as the limit " +
			"of open files allows)"},
	{Path: "max_conns_per_address", Example: "100", Most: billion,
		Doc: "connections of one address at once; 0 = no limit"},
	{Path: "max_sessions_per_user", Example: "20", Least: 1, Most: 1_000_000,
		Doc: "sessions of one user; over it the one that is away longest is forgotten, " +
			"and if none is away the new one waits in vain"},
	{Path: "max_handshakes_per_second", Example: "2000", Most: billion,
		Doc: "new sessions a second, in all; 0 = no limit"},
	{Path: "max_handshakes_per_second_per_address", Example: "20", Most: billion,
		Doc: "new sessions a second of one address; 0 = no limit"},
	{Path: "max_events_per_second", Example: "50", Most: billion,
		Doc: "events a second of one client; 0 = no limit"},
	{Path: "max_event_bytes_per_second", Example: "256KiB", Most: 1 << 30,
		Doc: "bytes of events a second of one client; 0 = no limit"},
	{Path: "on_event_limit", Example: "close", OneOf: []string{"drop", "close"},
		Doc: "what becomes of a client's events over these limits: drop them, or close the client " +
			"(code 1008)"},
	{Path: "max_head_bytes", Example: "32KiB", Least: 1 << 10, Most: 1 << 20,
		Doc: "longest head of a request; over it 431"},
	{Path: "max_message_bytes", Example: "64KiB", Least: 1 << 10, Most: 16 << 20,
		Doc: "longest message of a client, and longest body of a request; over it 1009 or 413"},
	{Path: "max_out_bytes", Example: "1MiB", Least: 4 << 10, Most: 1 << 30,
		Doc: "unsent bytes of one connection before it is stalled"},
	{Path: "max_fragments", Example: "64", Least: 1, Most: 65534,
		Doc: "most frames that one message of a client may come in"},
	{Path: "head_timeout", Example: "5s", Least: 100, Most: 10 * minute,
		Doc: "a request must be whole in this time; else 408"},
	{Path: "idle_timeout", Example: "2m", Least: 100, Most: day,
		Doc: "an HTTP connection without a request is closed after this time"},
	{Path: "memory_limit", Example: "2GiB", Most: 1 << 50,
		Doc: "memory that the daemon tries to stay below, by collecting garbage more often (0: 90 % of the " +
			"cgroup's limit, none without one; GOMEMLIMIT goes before that)"},
}

var times = []*Key{
	{Path: "ws_kalive_ms", Example: "50000", Least: 100, Most: day,
		Doc: "ping a WebSocket without activity; checked at half of it, as Sente does"},
	{Path: "ws_ping_timeout_ms", Example: "5000", Least: 100, Most: day,
		Doc: "close a WebSocket that shows no activity so long after a ping"},
	{Path: "lp_timeout_ms", Example: "30000", Least: 100, Most: minute - 1, // stock clients' own limit
		Doc: "answer a long poll after, and a callback over Ajax; below 60000"},
	{Path: "send_buf_ms_ws", Example: "0", Most: minute,
		Doc: "batch pushes over WebSocket for so long; 0 = never wait"},
	{Path: "send_buf_ms_ajax", Example: "0", Most: minute,
		Doc: "batch pushes over Ajax for so long; 0 = never wait"},
	{Path: "ms_allow_reconnect_before_close_ws", Example: "5000", Most: day,
		Doc: "a user stays present so long after its last WebSocket closed"},
	{Path: "ms_allow_reconnect_before_close_ajax", Example: "10000", Most: day,
		Doc: "a user stays present so long after its last poll was answered"},
}

var delivery = []*Key{
	{Path: "session_keep_ms", Example: "300000", Most: day,
		Doc: "an absent client gets what it missed if it is back in this time"},
	{Path: "redelivery", Example: "pong", OneOf: []string{"tcp", "pong", "off"},
		Doc: "what counts as delivered over WebSocket: tcp (acknowledged by the peer's kernel), pong " +
			"(by the client; behind proxies), off (handed over)"},
	{Path: "on_gap", Example: "close", OneOf: []string{"notice", "close"},
		Doc: "a client that missed events because it was away or slow for too long: notice " +
			"([:chskd/gap {:missed n}]), close (with 4410, a poll with 410)"},
	{Path: "drain_ms", Example: "30000", Most: day,
		Doc: "going down takes no longer than this"},
}

var backends = []*Key{
	{Path: "api_allow_uids", Example: "33,1000", Most: 1<<32 - 2,
		Doc:   "ids of system users that may use the API socket, besides root and the daemon's own",
		write: "ids of users, as `id -u NAME` gives"},
	{Path: "api_max_line", Example: "4MiB", Least: 1 << 10, Most: 16 << 20,
		Doc: "longest request object of a backend"},
	{Path: "api_stall_ms", Example: "10000", Least: 1, Most: hour,
		Doc: "a backend that leaves its socket full for so long is cut"},
	{Path: "backend_on_full", Example: "reject", OneOf: []string{"hold", "drop", "reject"},
		Doc: "an event for which no backend is there, or none has room: hold (keep it, up to the " +
			"queue's bounds), drop, or reject (close its client with 1013)"},
	{Path: "backend_queue_events", Example: "1000", Least: 1, Most: 1 << 24,
		Doc: "events that wait for one consumer, or are held while there is none"},
	{Path: "backend_queue_bytes", Example: "64MiB", Least: 1 << 10, Most: 1 << 32,
		Doc: "and their bytes"},
	{Path: "backend_hold_ms", Example: "10000", Least: 1, Most: day,
		Doc: "an event is held no longer than this"},
	{Path: "backend_ack_timeout_ms", Example: "30000", Least: 1, Most: day,
		Doc: "a consumer with acks that has not acked an event for so long is cut, and the event " +
			"given to another"},
}
