package httpmin

import (
	"errors"
	"strconv"
)

// ErrShort says that the input is good so far and that more bytes are needed.
var ErrShort = errors.New("httpmin: more bytes needed")

// Error is a request that is refused. The conn must be closed after the answer:
// where the next request would begin is not known. All values are made once;
// two refusals for one reason are the same pointer. Immutable after New.
type Error struct {
	Status int    // of the answer: 400, 413, 414, 417, 426, 431, 501 or 505
	Reason string // for people: fit to be the body of the answer, without newline
}

// Error gives the package, status and reason in one line.
func (e *Error) Error() string {
	return "httpmin: " + strconv.Itoa(e.Status) + " " + e.Reason
}

func bad(reason string) *Error { return &Error{Status: 400, Reason: reason} }

// The request line and the shape of the field lines (RFC 9112 §2, §3, §5).
var (
	errEmptyLines = bad("too many empty lines before the request line")
	errMethod     = bad("bad character in the method")
	errTarget     = bad("bad character in the request target")
	errTargetForm = bad("bad form of the request target")
	errVersion    = bad("bad HTTP version")
	errBareCR     = bad("CR without LF")
	errBareLF     = bad("LF without CR")
	errFold       = bad("line begins with white space")
	errFieldName  = bad("bad character in a field name")
	errFieldValue = bad("control character in a field value")

	errMethodOther = &Error{Status: 501, Reason: "method not implemented"}
	errVersionMax  = &Error{Status: 505, Reason: "only HTTP/1.0 and HTTP/1.1 are spoken here"}
	errTargetLong  = &Error{Status: 414, Reason: "request target too long"}
	errHeadLarge   = &Error{Status: 431, Reason: "request head too large"}
	errFieldsCount = &Error{Status: 431, Reason: "too many header fields"}
)

// Single fields and how they go together (RFC 9112 §3.2, §6, RFC 9110 §10.1.1).
var (
	errDoubled     = bad("a field that may come once came twice")
	errNoHost      = bad("missing Host")
	errHost        = bad("bad Host")
	errHostDiffers = bad("Host and request target differ")
	errLength      = bad("bad Content-Length")
	errTwoLengths  = bad("both Content-Length and Transfer-Encoding")
	errCoding      = bad("bad Transfer-Encoding")
	errCodingHTTP0 = bad("Transfer-Encoding in an HTTP/1.0 request")

	errCodingUnknown = &Error{Status: 501, Reason: "transfer coding not implemented"}
	errExpect        = &Error{Status: 417, Reason: "only 100-continue can be expected"}
)

// Bodies (RFC 9112 §6.2, §7.1).
var (
	errChunkSize = bad("bad chunk size")
	errChunkExt  = bad("bad chunk extension")
	errChunkEnd  = bad("chunk data without CRLF behind it")
	errTrailer   = bad("bad trailer field")

	errTrailerLarge = &Error{Status: 431, Reason: "trailer or chunk extensions too large"}
	errBodyLarge    = &Error{Status: 413, Reason: "request body too large"}
)

// The WebSocket handshake (RFC 6455 §4.2.1).
var (
	errNoUpgrade     = bad("not a WebSocket upgrade")
	errUpgradeMethod = bad("a WebSocket upgrade must be a GET")
	errUpgradeHTTP0  = bad("a WebSocket upgrade needs HTTP/1.1")
	errUpgradeBody   = bad("a WebSocket upgrade must have no body")
	errUpgradeKey    = bad("bad Sec-WebSocket-Key")

	errUpgradeVersion = &Error{Status: 426, Reason: "only WebSocket version 13 is spoken here"}
)
