package main

// workerArg as the only argument makes this program a load process.
const workerArg = "worker"

// request is one line to a load process. Each is answered at once, by one line; what it starts goes
// on behind that.
type request struct {
	Op     string   `json:"op"` // connect stop sample places tally
	Target *target  `json:"target,omitempty"`
	Want   []uint32 `json:"want,omitempty"`  // tally: pushes to each connection
	Casts  []uint32 `json:"casts,omitempty"` // tally: broadcasts of each chskd
}

// target is where the connections of one load process go.
type target struct {
	Address string   `json:"address"` // IPv4:port
	Sources []string `json:"sources"` // local addresses, taken in turn
	Run     uint32   `json:"run"`     // tells the users of runs apart
	First   int      `json:"first"`   // number of the first connection
	Conns   int      `json:"conns"`
	Window  int      `json:"window"` // handshakes under way at a time
}

// reply is the answer.
type reply struct {
	Err string `json:"err,omitempty"`

	Open    int            `json:"open"`    // handshake done, still there
	Left    int            `json:"left"`    // not yet dialled, under way, or to be tried again
	GaveUp  int            `json:"gave_up"` // tried too often, or not any more
	Retries int            `json:"retries"`
	Closed  int            `json:"closed"` // after they were open
	Reasons map[string]int `json:"reasons,omitempty"`
	Pings   int64          `json:"pings"` // of the server, all answered
	Tally   tally          `json:"tally"`

	Places     []uint16 `json:"places,omitempty"` // the chskd of each connection, or nowhere
	Handshakes []int64  `json:"handshakes,omitempty"`

	Latency [streams][]int64 `json:"latency"`
	LastAt  [streams]int64   `json:"last_at"` // ns, CLOCK_MONOTONIC: when the last event came
}

// nowhere is the place of a connection that is not open.
const nowhere = 1<<16 - 1
