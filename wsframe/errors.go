package wsframe

import "errors"

// ErrShort says that the bytes end before the header does: show it again with more bytes behind.
var ErrShort = errors.New("wsframe: need more bytes")

// Error is a peer's mistake that ends the connection: send a close frame with Code and Reason, then
// close. Immutable: the package's errors are shared values, none is made per frame.
type Error struct {
	// Code is the close code to answer with (RFC 6455 §7.4.1): 1002, 1007 or 1009.
	Code uint16
	// Reason is short plain ASCII for the close frame and for people.
	Reason string
}

// Error returns the reason with the package's prefix.
func (e *Error) Error() string { return "wsframe: " + e.Reason }

// Close codes that the reader answers with (RFC 6455 §7.4.1).
const (
	codeProtocol = 1002
	codeInvalid  = 1007
	codeTooBig   = 1009
)

// What a peer can do wrong, in the order of the frame's bytes.
var (
	// First byte: RFC 6455 §5.2 (RSV, opcode), §5.4 (fragmentation), §5.5 (control frames).
	errRSV           = &Error{codeProtocol, "reserved bits set without an extension"}
	errOpcode        = &Error{codeProtocol, "reserved opcode"}
	errControlFrag   = &Error{codeProtocol, "fragmented control frame"}
	errNothingToCont = &Error{codeProtocol, "continuation without a message"}
	errInterleaved   = &Error{codeProtocol, "new message inside a fragmented one"}

	// Second byte and length: §5.1 (clients mask), §5.5, §5.2 (shortest form, top bit 0).
	errUnmasked    = &Error{codeProtocol, "unmasked frame"}
	errControlLong = &Error{codeProtocol, "control frame over 125 bytes"}
	errLongForm    = &Error{codeProtocol, "length not in its shortest form"}
	errTopBit      = &Error{codeProtocol, "length over 63 bits"}
	errTooBig      = &Error{codeTooBig, "message too big"}

	// Payload: §8.1 (UTF-8), §5.5.1 and §7.4 (close frames).
	errUTF8      = &Error{codeInvalid, "text is not UTF-8"}
	errCloseLen  = &Error{codeProtocol, "close payload of one byte"}
	errCloseCode = &Error{codeProtocol, "close code not allowed on the wire"}
	errCloseUTF8 = &Error{codeInvalid, "close reason is not UTF-8"}
)
