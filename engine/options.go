package engine

import (
	"log/slog"

	"github.com/chskd/chskd/admit"
	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/packer"
)

// Redelivery says what counts as delivered over a WebSocket, and so what is sent
// again when the conn broke and its client comes back.
type Redelivery uint8

const (
	// RedeliveryTCP asks the kernel, when a conn ends, what its peer acknowledged.
	RedeliveryTCP Redelivery = iota
	// RedeliveryPong asks the client itself with a protocol ping that carries the
	// position (RFC 6455 §5.5.2); for servers behind proxies that end the TCP
	// connection.
	RedeliveryPong
	// RedeliveryOff takes what was handed to the kernel as delivered.
	RedeliveryOff
)

// OnGap says what becomes of a session whose log had to drop what it still needed.
type OnGap uint8

const (
	// GapNotice tells it [:chskd/gap {:missed n}], exactly where the events stood.
	GapNotice OnGap = iota
	// GapClose ends it: its conn is closed with 4410, its poll answered 410. Its client
	// comes back to a handshake, and gets what is pushed from then on.
	GapClose
)

// Options are the settings of an Engine. All times are milliseconds.
//
// Immutable after New.
type Options struct {
	Listen      string // host:port; port 0 lets the kernel choose
	ReusePort   bool   // other processes of the same user may listen on it too
	Path        string // of the channel socket, as "/chsk"
	Loops       int
	Packer      packer.Packer // for conns that do not choose one; one of Packers
	Packers     packer.Set    // that a conn may choose
	Auth        *auth.Checker
	Verifier    Verifier        // for what Auth needs to be found out first; nil when it never does
	Trusted     *admit.Prefixes // proxies whose word on addresses counts, and on users in mode header
	Allow, Deny *admit.Prefixes // of addresses; nil Allow allows all, and Deny wins

	ProxyProtocol bool // every conn begins with a PROXY header, and comes from Trusted

	RememberUID bool   // auth mode dev: a POST has the uid of its client-id's last GET
	Handshake   []byte // an edn value for every handshake, nil for none
	Log         *slog.Logger

	// Sente's own options, with Sente's names and defaults.
	WSKaliveMs      uint32 // 25000; the check runs at half of it, as in Sente
	WSPingTimeoutMs uint32 // 10000
	LPTimeoutMs     uint32 // 20000
	SendBufMsWS     uint32 // 30
	SendBufMsAjax   uint32 // 100
	ReconnectMsWS   uint32 // 2500: ms-allow-reconnect-before-close-ws
	ReconnectMsAjax uint32 // 5000

	SessionKeepMs uint32 // 60000: how long an absent session may come back
	Redelivery    Redelivery
	OnGap         OnGap
	DrainMs       uint32 // 10000: how long going down may take

	ExpiryNoticeMs uint32 // 30000: a WebSocket is told so long before its identity expires; 0 = not

	DebugEcho string                                                       // path of an echo WebSocket, "" for none
	Page      func(path string) (contentType string, body []byte, ok bool) // other GETs, may be nil
	Ready     func(addr string)                                            // called once when every loop serves, not on a loop

	Limits Limits
}

// Limits bound everything that a peer could make grow. Each has its answer for
// "full"; a zero value means the default.
type Limits struct {
	HeadBytes    int // request head; over it 431. 16 KiB: cookies of a large site fit
	MessageBytes int // request body and WebSocket message; over it 413 / 1009. 1 MiB
	EchoBytes    int // message of the debug echo; conformance suites send 16 MiB. 64 MiB
	OutBytes     int // unsent bytes of one conn; over it the conn is stalled. 256 KiB
	ParkedBytes  int // bytes that a conn may send ahead while its request waits; over it closed. 64 KiB

	MaxConns        int // served at once; beyond it upgrades are held. By the fd limit
	HeldConns       int // requests held back at a limit; beyond it 503 or 429. 1024
	ConnsPerAddress int // of one address; beyond it held, then 429. 0 = any number

	HandshakesPerSecond  int // begun; beyond it held, then 503. 0 = any number
	HandshakesPerAddress int // in a second, of one address; beyond it held, then 429. 0 = any

	EventsPerSecond     int     // of one client; beyond it OnEventLimit. 0 = any number
	EventBytesPerSecond int     // the same in bytes
	OnEventLimit        OnLimit // drop

	Frames int // of one message, with the control frames between them; over it 1008. 1024, at most 65534

	Callbacks       int    // replies that one conn waits for; over it :chsk/error. 256
	SessionsPerUser int    // over it the oldest that is away is forgotten; none away: refused. 1000
	KeptSessions    int    // absent sessions of all loops; over it the oldest is forgotten. 1e6
	PollsPerSession int    // parked at once; over it the oldest is answered. 16
	ReplayedPosts   int    // POSTs of a loop that wait or are remembered; over it :chsk/error. 100000
	ShardBytes      int    // all logs together. 256 MiB
	LogEntries      int    // of one log; over it the oldest is dropped, a gap. 1000
	LogBytes        int    // of one log. 1 MiB
	LogAgeMs        uint32 // 60000

	HeadMs     uint32 // a request must be whole in this time; else 408. 10 s
	IdleMs     uint32 // a kept-alive HTTP conn without request is closed. 75 s
	HeldMs     uint32 // an upgrade at the connection cap waits so long. 8 s: stock clients give up at 10
	StallMs    uint32 // a stalled conn is closed after. 30 s
	CallbackMs uint32 // a reply is waited for so long. 60 s
	CloseMs    uint32 // the peer's close frame, or its FIN, is waited for so long. 3 s
	ReplayMs   uint32 // the same POST counts as a replay so long. 10 s
	NudgeMs    uint32 // a hanging poll is nudged at most so often. 1 s
	VerifyMs   uint32 // a request waits so long for its identity to be found out; then 503. 10 s
}

// Defaults returns the options of a server that was told nothing.
func Defaults() Options {
	return Options{
		Listen: "127.0.0.1:8080", Path: "/chsk", Loops: 1, Packers: packer.AllPackers,
		WSKaliveMs: 25000, WSPingTimeoutMs: 10000, LPTimeoutMs: 20000,
		SendBufMsWS: 30, SendBufMsAjax: 100,
		ReconnectMsWS: 2500, ReconnectMsAjax: 5000,
		SessionKeepMs: 60000, DrainMs: 10000, ExpiryNoticeMs: 30000,
		Limits: defaultLimits(),
	}
}

func defaultLimits() Limits {
	return Limits{
		HeadBytes: 16 << 10, MessageBytes: 1 << 20, EchoBytes: 64 << 20,
		OutBytes: 256 << 10, ParkedBytes: 64 << 10,
		MaxConns: 1_000_000, HeldConns: 1024, Frames: 1024,
		Callbacks: 256, SessionsPerUser: 1000, KeptSessions: 1_000_000,
		PollsPerSession: 16, ReplayedPosts: 100_000,
		ShardBytes: 256 << 20, LogEntries: 1000, LogBytes: 1 << 20, LogAgeMs: 60_000,
		HeadMs: 10_000, IdleMs: 75_000, HeldMs: 8_000, StallMs: 30_000,
		CallbackMs: 60_000, CloseMs: 3_000, ReplayMs: 10_000, NudgeMs: 1_000,
		VerifyMs: 10_000,
	}
}

// Fixed bounds of a turn and of a batch; not settings, because nothing a user
// could know helps to choose them.
const (
	maxLoops          = 256  // a ref has 8 bits for the loop
	deliveriesPerTurn = 4096 // so that one broadcast never holds a loop: about 20 ms of writes
	messagesPerTurn   = 16384
	batchEvents       = 250 // a stock client's buffer slides at 512 events
	batchBytes        = 64 << 10
	paceMs            = 20
	ackCheckMs        = 1000 // how often a conn with unacknowledged bytes is looked at
	ackSoonMs         = 20   // and a busy one as well: one that was given in a batch
	ackSoonBytes      = 4096 // so much, or has
	ackSoonNodes      = 8    // so many batches unacknowledged
	stallCheckMs      = 100
	bodyStepBytes     = 1024 // a body must bring so many in every HeadMs, or be whole
	finishCheckMs     = 20   // is all out, so that our FIN may follow?
	pongEveryMs       = 1000 // redelivery pong: at most so often
	maxAckNodes       = 128  // unacknowledged batches remembered per conn; beyond it neighbours merge
)
