package httpmin

// Limits of a head besides its length, which the caller gives.
const (
	maxFields     = 100 // header fields: bounds Get and what a hostile head costs
	maxMethodLen  = 7   // bytes: OPTIONS
	maxEmptyLines = 4   // before a request line; old clients send one after a POST
)

// Head is a parsed request head. Every []byte is a slice of the parsed input
// and lives as long as that does (Path may also be a constant "/"). Of the
// named fields nil means absent, and present ones are not nil even if empty;
// white space around a value is cut off. A Head is used again by parsing into
// it; the zero value is ready. Owner: loop.
type Head struct {
	Method   []byte
	Target   []byte // as it came
	Path     []byte // not decoded; "*" for the asterisk form
	RawQuery []byte // behind the first "?", not decoded; nil = no "?"
	Host     []byte // of the field, or of an absolute target; nil only in HTTP/1.0

	Minor         int   // of the version HTTP/1.Minor: 0 or 1
	ContentLength int64 // bytes; -1 = no Content-Length
	Chunked       bool
	KeepAlive     bool // the peer wants the conn kept (RFC 9112 §9.3)
	Upgrade       bool // Upgrade: websocket and Connection: upgrade; see CheckUpgrade
	Expect100     bool // a body waits for "100 Continue" (RFC 9110 §10.1.1)

	// Fields that may come once: a second one is refused.
	Origin, Referer, ContentType []byte
	CSRFToken                    []byte // x-csrf-token
	XSRFToken                    []byte // x-xsrf-token
	Cookie, Authorization        []byte
	SecFetchSite                 []byte // Sec-Fetch-Site (Fetch Metadata §2.3)
	WSKey                        []byte // Sec-WebSocket-Key
	WSVersion                    []byte // Sec-WebSocket-Version
	ACRequestMethod              []byte // Access-Control-Request-Method

	// Fields that are lists: of several lines the one that is named here.
	WSProtocol       []byte // Sec-WebSocket-Protocol, first
	ACRequestHeaders []byte // Access-Control-Request-Headers, first
	ForwardedFor     []byte // X-Forwarded-For, last: that of the nearest proxy

	fields []byte // all field lines with their CRLFs, for Get
	flags  flags
}

// flags are what field lines said until finish draws the conclusions.
type flags uint8

const (
	sawClose     flags = 1 << iota // Connection: close
	sawKeepAlive                   // Connection: keep-alive
	sawUpgrade                     // Connection: upgrade
	sawWebSocket                   // Upgrade: websocket
	sawExpect                      // Expect: 100-continue
	sawHost                        // a Host field, not only a host in the target
)

// ParseHead parses the request head at the start of b into h and gives its
// length in n, the blank line that ends it included. Empty lines before the
// request line are skipped and counted in n (RFC 9112 §2.2).
//
// It gives ErrShort while b is a good but unfinished head, to be called again
// with the same bytes and more behind them, and *Error (400, 414, 417, 431,
// 501, 505) as early as the bytes show it, the same for any split of the input; then
// n is 0 and h is not to be used. A head that does not fit max bytes is 431, or 414 if not even
// its target does (RFC 9112 §3).
// Each call reads b from its start; a head can end only with an LF.
func ParseHead(b []byte, max int, h *Head) (n int, err error) {
	*h = Head{ContentLength: -1}
	full := len(b) >= max
	if full {
		b = b[:max]
	}
	i, err := emptyLines(b)
	if err == nil {
		i, err = h.requestLine(b, i)
	}
	if err == nil {
		i, err = h.fieldLines(b, i)
	}
	if err == nil {
		err = h.finish()
	}
	if err == nil {
		return i, nil
	}
	if err == ErrShort && full {
		return 0, h.tooLarge(b)
	}
	return 0, err
}

// tooLarge says what of a head does not fit b, all that it may have. An unfinished target is the
// one that runs up to the end of b.
func (h *Head) tooLarge(b []byte) error {
	before := len(b) - len(h.Target)
	if i, _ := emptyLines(b); len(h.Target) > 0 && before == i+len(h.Method)+1 {
		return errTargetLong
	}
	return errHeadLarge
}

// emptyLines skips CRLFs before the request line.
func emptyLines(b []byte) (int, error) {
	i := 0
	for i < len(b) && b[i] == '\r' {
		if i == 2*maxEmptyLines {
			return 0, errEmptyLines
		}
		next, err := crlf(b, i)
		if err != nil {
			return 0, err
		}
		i = next
	}
	if i < len(b) && b[i] == '\n' {
		return 0, errBareLF
	}
	return i, nil
}

// crlf steps over the CRLF at b[i], where a line must end.
func crlf(b []byte, i int) (int, error) {
	if i+1 < len(b) && b[i] == '\r' && b[i+1] == '\n' {
		return i + 2, nil
	}
	return 0, lineEnd(b, i)
}

// lineEnd says what is wrong with the line end at b[i].
func lineEnd(b []byte, i int) error {
	switch {
	case i == len(b):
		return ErrShort
	case b[i] == '\n':
		return errBareLF
	case b[i] != '\r':
		return errFieldValue
	case i+1 == len(b):
		return ErrShort
	}
	return errBareCR
}

// requestLine parses "method SP target SP version CRLF" (RFC 9112 §3).
func (h *Head) requestLine(b []byte, i int) (int, error) {
	start := i
	i = skip(b, i, token)
	h.Method = b[start:i:i]
	if len(h.Method) > maxMethodLen {
		return 0, errMethodOther
	}
	if i == len(b) {
		return 0, ErrShort
	}
	if b[i] != ' ' || i == start {
		return 0, errMethod
	}
	i++
	start = i
	i = skipTarget(b, i)
	h.Target = b[start:i:i]
	if i == len(b) {
		return 0, ErrShort
	}
	if b[i] != ' ' || i == start {
		return 0, errTarget
	}
	i, err := h.version(b, i+1)
	if err != nil {
		return 0, err
	}
	if !knownMethod(h.Method) {
		return 0, errMethodOther
	}
	return i, h.splitTarget()
}

// knownMethod says whether m is a method of RFC 9110 §9.3 or PATCH (RFC 5789). Others are refused
// here, not only where they are routed: rather than by a client they are made by a request whose
// body ended elsewhere for somebody in front, as "GPOST", and the conn of that must end. CONNECT is
// one of them: a tunnel is not for an origin server.
func knownMethod(m []byte) bool {
	switch string(m) {
	case "GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE":
		return true
	}
	return false
}

// version parses "HTTP/1.x CRLF"; other versions are 505 (RFC 9112 §2.3).
func (h *Head) version(b []byte, i int) (int, error) {
	const line = "HTTP/1.1\r\n"
	if len(b)-i >= len(line) && string(b[i:i+len(line)]) == line {
		h.Minor = 1
		return i + len(line), nil
	}
	const form = "HTTP/0.0" // 0 stands for any digit
	for k := 0; k < len(form); k, i = k+1, i+1 {
		switch {
		case i == len(b):
			return 0, ErrShort
		case form[k] == '0' && classOf[b[i]]&digit != 0:
		case form[k] != b[i] || form[k] == '0':
			return 0, errVersion
		}
	}
	if b[i-3] != '1' || b[i-1] > '1' {
		return 0, errVersionMax
	}
	h.Minor = int(b[i-1] - '0')
	if i < len(b) && b[i] != '\r' && b[i] != '\n' {
		return 0, errVersion
	}
	return crlf(b, i)
}

// fieldLines parses all field lines and the blank line (RFC 9112 §5).
func (h *Head) fieldLines(b []byte, i int) (int, error) {
	first := i
	for count := 0; ; count++ {
		if i < len(b) && b[i] == '\r' {
			end, err := crlf(b, i)
			h.fields = b[first:i]
			return end, err
		}
		name := i
		i = skipName(b, i)
		if i == len(b) {
			return 0, ErrShort
		}
		if count == maxFields {
			return 0, errFieldsCount
		}
		if b[i] != ':' || i == name {
			return 0, nameError(b[i], i == name)
		}
		colon := i
		i = skipText(b, i+1)
		next, err := crlf(b, i)
		if err != nil {
			return 0, err
		}
		if err := h.field(b[name:colon], trim(b[colon+1:i:i])); err != nil {
			return 0, err
		}
		i = next
	}
}

// nameError says why c may not follow in a field name.
func nameError(c byte, first bool) error {
	switch {
	case first && (c == ' ' || c == '\t'):
		return errFold
	case c == '\n':
		return errBareLF
	}
	return errFieldName
}

// finish checks what only the whole head shows.
func (h *Head) finish() error {
	if h.flags&sawHost == 0 && h.Minor == 1 {
		return errNoHost
	}
	if h.Chunked && h.ContentLength >= 0 {
		return errTwoLengths
	}
	keep := h.Minor == 1 || h.flags&sawKeepAlive != 0
	h.KeepAlive = keep && h.flags&sawClose == 0
	h.Upgrade = h.flags&(sawUpgrade|sawWebSocket) == sawUpgrade|sawWebSocket
	// HTTP/1.0 has no 100 Continue: RFC 9110 §10.1.1 says to ignore it there.
	h.Expect100 = h.flags&sawExpect != 0 && h.Minor == 1 && (h.Chunked || h.ContentLength > 0)
	return nil
}

// Get gives the value of the first field with this name (any case), nil if
// there is none. It reads the field lines again: for fields that the struct
// does not name.
func (h *Head) Get(name string) []byte {
	b := h.fields
	for i := 0; i < len(b); {
		colon := skip(b, i, token)
		end := skipText(b, colon)
		if sameName(b[i:colon], name) {
			return trim(b[colon+1 : end : end])
		}
		i = end + 2
	}
	return nil
}

// Only is Get for a field that may stand there once: twice says that it does more
// often, so that nobody knows which of them counts.
func (h *Head) Only(name string) (value []byte, twice bool) {
	b := h.fields
	for i := 0; i < len(b); {
		colon := skip(b, i, token)
		end := skipText(b, colon)
		if sameName(b[i:colon], name) {
			if value != nil {
				return nil, true
			}
			value = trim(b[colon+1 : end : end])
		}
		i = end + 2
	}
	return value, false
}

// AppendLines appends to dst the values of all lines with this name (any case), in their
// order, for a field that is a list over several lines.
func (h *Head) AppendLines(dst [][]byte, name string) [][]byte {
	b := h.fields
	for i := 0; i < len(b); {
		colon := skip(b, i, token)
		end := skipText(b, colon)
		if sameName(b[i:colon], name) {
			dst = append(dst, trim(b[colon+1:end:end]))
		}
		i = end + 2
	}
	return dst
}

// sameName compares two field names; ASCII letters match in both cases.
func sameName(b []byte, name string) bool {
	if len(b) != len(name) {
		return false
	}
	for i := range b {
		if lower(b[i]) != lower(name[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}
