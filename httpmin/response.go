package httpmin

import "strconv"

// Content types of answers. Sente clients do not look at them; so the one for values
// packed to text is not the text/html that http-kit gives them, which would make a
// page of markup that a user put into an event or an id.
const (
	TypeText   = "text/plain; charset=utf-8"
	TypeJSON   = "application/json"
	TypeHTML   = "text/html; charset=utf-8"
	TypeOctets = "application/octet-stream" // values packed to bytes
)

// Continue is the whole interim response to Expect: 100-continue
// (RFC 9110 §15.2.1).
const Continue = "HTTP/1.1 100 Continue\r\n\r\n"

// Response is what AppendResponse writes besides the body. The zero value of a
// field leaves its header field out.
type Response struct {
	Status      int
	ContentType string
	Close       bool // Connection: close; the conn must end after the body
	Minor       int  // of the request: HTTP/1.0 peers are told that the conn stays
	Head        bool // the answer to a HEAD: see NoBody

	// CORS, all from a Head, whose values hold no control characters. Origin is
	// the origin that was allowed; it is echoed, and credentials are allowed.
	Origin           []byte
	Preflight        bool   // answers an OPTIONS: which methods and fields may come
	PreflightHeaders []byte // Access-Control-Request-Headers, granted as asked

	Allow      string // methods, for 405 and OPTIONS
	WSVersion  bool   // Sec-WebSocket-Version: 13, for 426 (RFC 6455 §4.4)
	RetryAfter int    // s
	Date       []byte // IMF-fixdate, 29 bytes (RFC 9110 §5.6.7)
}

// NoBody says that no body may follow the head: the answer to a HEAD, 204 and
// 304 (RFC 9112 §6.3).
func (r *Response) NoBody() bool { return r.Head || r.Status == 204 || r.Status == 304 }

// AppendResponse appends status line, header fields and the blank line; the
// caller appends the body of bodyLen bytes, unless NoBody. Content-Length is
// always there, also in the answer to a HEAD, except for 204 and 304 (RFC 9110
// §8.6). No answer may be stored or taken for a type that it does not claim.
func AppendResponse(dst []byte, r *Response, bodyLen int) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(r.Status), 10)
	dst = append(dst, ' ')
	dst = append(dst, StatusText(r.Status)...)
	dst = append(dst, "\r\n"...)
	if r.ContentType != "" {
		dst = appendField(dst, "Content-Type: ", r.ContentType)
	}
	if r.Status != 204 && r.Status != 304 {
		dst = appendNumber(dst, "Content-Length: ", bodyLen)
	}
	dst = append(dst, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"...)
	dst = appendConnection(dst, r)
	if len(r.Date) > 0 {
		dst = appendField(dst, "Date: ", r.Date)
	}
	if len(r.Origin) > 0 {
		dst = appendCORS(dst, r)
	}
	dst = appendRare(dst, r)
	return append(dst, "\r\n"...)
}

// appendConnection appends what Connection must say. A 426 names the protocol
// to upgrade to (RFC 9110 §15.5.22), for which it needs the option "upgrade".
func appendConnection(dst []byte, r *Response) []byte {
	switch {
	case r.Status == 426 && r.Close:
		return append(dst, "Connection: close, Upgrade\r\nUpgrade: websocket\r\n"...)
	case r.Status == 426:
		return append(dst, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
	case r.Close:
		return append(dst, "Connection: close\r\n"...)
	case r.Minor == 0:
		return append(dst, "Connection: keep-alive\r\n"...)
	}
	return dst
}

// appendCORS appends the Access-Control fields (Fetch standard §3.2). With
// credentials the wildcards mean nothing, so origin and fields are named.
func appendCORS(dst []byte, r *Response) []byte {
	dst = appendField(dst, "Access-Control-Allow-Origin: ", r.Origin)
	dst = append(dst, "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n"...)
	if !r.Preflight {
		return dst
	}
	dst = append(dst, "Access-Control-Allow-Methods: GET, POST, HEAD\r\n"...)
	if len(r.PreflightHeaders) > 0 {
		dst = appendField(dst, "Access-Control-Allow-Headers: ", r.PreflightHeaders)
	}
	return append(dst, "Access-Control-Max-Age: 600\r\n"...)
}

// appendRare appends the fields of refusals. A 401 must say how to do better (RFC 9110
// §15.5.2); Bearer is the one way that makes no browser ask its user for a password.
func appendRare(dst []byte, r *Response) []byte {
	if r.Status == 401 {
		dst = append(dst, "WWW-Authenticate: Bearer\r\n"...)
	}
	if r.Allow != "" {
		dst = appendField(dst, "Allow: ", r.Allow)
	}
	if r.WSVersion {
		dst = append(dst, "Sec-WebSocket-Version: 13\r\n"...)
	}
	if r.RetryAfter > 0 {
		dst = appendNumber(dst, "Retry-After: ", r.RetryAfter)
	}
	return dst
}

// appendField appends one field line; name ends with a colon and a space.
func appendField[T string | []byte](dst []byte, name string, value T) []byte {
	dst = append(dst, name...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

func appendNumber(dst []byte, name string, n int) []byte {
	dst = append(dst, name...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, "\r\n"...)
}

// StatusText gives the reason phrase of the statuses that chskd answers with,
// "" for others: the phrase may be empty (RFC 9112 §4).
func StatusText(status int) string {
	switch status {
	case 200:
		return "OK"
	case 204:
		return "No Content"
	case 304:
		return "Not Modified"
	case 400:
		return "Bad Request"
	case 401:
		return "Unauthorized"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 405:
		return "Method Not Allowed"
	case 408:
		return "Request Timeout"
	case 410:
		return "Gone"
	case 413:
		return "Content Too Large"
	case 414:
		return "URI Too Long"
	case 417:
		return "Expectation Failed"
	case 426:
		return "Upgrade Required"
	case 429:
		return "Too Many Requests"
	case 431:
		return "Request Header Fields Too Large"
	case 500:
		return "Internal Server Error"
	case 501:
		return "Not Implemented"
	case 503:
		return "Service Unavailable"
	case 505:
		return "HTTP Version Not Supported"
	}
	return ""
}
