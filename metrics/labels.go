package metrics

// What is counted by kind: the kinds are few and fixed, so that no client can make more.

// Packers is the number of packers, which index the counters that are kept for each.
const Packers = 8

// Transport is how a client is connected.
type Transport uint8

// The transports.
const (
	WS         Transport = iota // a WebSocket
	Ajax                        // long polls
	Transports                  // their number
)

var transportNames = [Transports]string{WS: "ws", Ajax: "ajax"}

// String is the transport's name.
func (t Transport) String() string { return transportNames[t] }

// Handshake is what became of a client's wish to connect.
type Handshake uint8

// The results. Those but HandshakeOK were answered with an HTTP error.
const (
	HandshakeOK        Handshake = iota
	HandshakeIdentity            // by token, origin, client-id or uid
	HandshakePacker              // asked for a packer that there is not
	HandshakeMalformed           // not an upgrade as RFC 6455 §4.2.1 has it
	Handshakes                   // their number
)

var handshakeNames = [Handshakes]string{
	HandshakeOK: "ok", HandshakeIdentity: "identity", HandshakePacker: "packer",
	HandshakeMalformed: "malformed",
}

// String is the result's name.
func (h Handshake) String() string { return handshakeNames[h] }

// Hold is why something new is held back, and in the end refused.
type Hold uint8

// The reasons.
const (
	HoldConns       Hold = iota // as many connections as there may be
	HoldAddress                 // the same of one address
	HoldAddressRate             // too many handshakes of one address
	HoldRate                    // too many handshakes
	HoldBehind                  // the loop has too much to do
	Holds                       // their number
)

var holdNames = [Holds]string{
	HoldConns: "connections", HoldAddress: "address", HoldAddressRate: "address_rate",
	HoldRate: "rate", HoldBehind: "behind",
}

// String is the reason's name.
func (h Hold) String() string { return holdNames[h] }

// Close is a close code of RFC 6455 §7.4, or a group of them.
type Close uint8

// CloseOf is what a close code is counted as. 1005 stands for a close frame without one.
func CloseOf(code uint16) Close {
	for i, c := range closeCodes {
		if c == code {
			return Close(i)
		}
	}
	if code >= 4000 && code < 5000 {
		return closeApplication
	}
	return closeOther
}

var (
	closeCodes = [...]uint16{1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1011, 1012, 1013,
		4401, 4403, 4410}
	closeNames = [...]string{"1000", "1001", "1002", "1003", "1005", "1007", "1008", "1009", "1011",
		"1012", "1013", "4401", "4403", "4410", "4xxx", "other"}
)

// Two groups: codes of applications (RFC 6455 §7.4.2), and all that have no other name.
const (
	closeApplication = Close(len(closeCodes))
	closeOther       = closeApplication + 1
	Closes           = closeOther + 1 // the number of names
)

// String is the code, or the name of the group.
func (c Close) String() string { return closeNames[c] }
