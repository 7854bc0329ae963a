package httpmin

import "bytes"

// field takes one field line. Fields that nothing here asks for fall through;
// Get finds them later. The length is looked at first: it alone rules out
// most names.
func (h *Head) field(name, value []byte) error {
	switch len(name) {
	case 4:
		if fold(name, "host") {
			return h.host(value)
		}
	case 6:
		if fold(name, "origin") {
			return once(&h.Origin, value)
		}
		if fold(name, "cookie") {
			return once(&h.Cookie, value)
		}
		if fold(name, "expect") {
			return h.expect(value)
		}
	case 7:
		if fold(name, "upgrade") {
			h.upgrade(value)
			return nil
		}
		if fold(name, "referer") {
			return once(&h.Referer, value)
		}
	case 10:
		if fold(name, "connection") {
			h.connection(value)
		}
	case 12:
		if fold(name, "content-type") {
			return once(&h.ContentType, value)
		}
		if fold(name, "x-csrf-token") {
			return once(&h.CSRFToken, value)
		}
		if fold(name, "x-xsrf-token") {
			return once(&h.XSRFToken, value)
		}
	case 13:
		if fold(name, "authorization") {
			return once(&h.Authorization, value)
		}
	default:
		return h.longField(name, value)
	}
	return nil
}

// longField is field for the long names.
func (h *Head) longField(name, value []byte) error {
	switch len(name) {
	case 14:
		if fold(name, "content-length") {
			return h.contentLength(value)
		}
		if fold(name, "sec-fetch-site") {
			return once(&h.SecFetchSite, value)
		}
	case 15:
		if fold(name, "x-forwarded-for") {
			h.ForwardedFor = value
		}
	case 17:
		if fold(name, "transfer-encoding") {
			return h.transferEncoding(value)
		}
		if fold(name, "sec-websocket-key") {
			return once(&h.WSKey, value)
		}
	case 21:
		if fold(name, "sec-websocket-version") {
			return once(&h.WSVersion, value)
		}
	case 22:
		if fold(name, "sec-websocket-protocol") && h.WSProtocol == nil {
			h.WSProtocol = value
		}
	case 29:
		if fold(name, "access-control-request-method") {
			return once(&h.ACRequestMethod, value)
		}
	case 30:
		if fold(name, "access-control-request-headers") && h.ACRequestHeaders == nil {
			h.ACRequestHeaders = value
		}
	}
	return nil
}

// once sets a field that is no list. Of two the one reader takes the first, the
// next takes the last: both refused (RFC 9110 §5.3).
func once(field *[]byte, value []byte) error {
	if *field != nil {
		return errDoubled
	}
	*field = value
	return nil
}

// host takes the Host field (RFC 9112 §3.2).
func (h *Head) host(value []byte) error {
	if h.flags&sawHost != 0 {
		return errDoubled
	}
	h.flags |= sawHost
	if !validHost(value) {
		return errHost
	}
	// RFC 9112 §3.2.2 lets the target win. We refuse: whoever looked at only one
	// of the two on the way here was thinking of another host.
	if h.Host != nil && !bytes.EqualFold(value, h.Host) {
		return errHostDiffers
	}
	h.Host = value
	return nil
}

// contentLength takes Content-Length: digits only, and no zero before others, which makes the
// number octal to some. RFC 9112 §6.3 lets equal duplicates pass; as a list or as a second field
// we refuse them.
func (h *Head) contentLength(value []byte) error {
	if h.ContentLength >= 0 {
		return errDoubled
	}
	if len(value) == 0 || !every(value, digit) || value[0] == '0' && len(value) > 1 {
		return errLength
	}
	const most = 1 << 53 // far above any limit, far below overflow
	n := int64(0)
	for _, c := range value {
		n = n*10 + int64(c-'0')
		if n > most {
			return errBodyLarge
		}
	}
	h.ContentLength = n
	return nil
}

// transferEncoding takes Transfer-Encoding, which must be exactly "chunked".
// Codings before a final chunked are 501; without a final chunked the length
// cannot be known, and RFC 9112 §6.3 asks for 400.
func (h *Head) transferEncoding(value []byte) error {
	if h.Minor == 0 {
		return errCodingHTTP0 // RFC 9112 §6.1: faulty framing
	}
	if h.Chunked {
		return errCoding
	}
	if fold(value, "chunked") {
		h.Chunked = true
		return nil
	}
	comma := bytes.LastIndexByte(value, ',')
	if comma < 0 || !fold(trim(value[comma+1:]), "chunked") {
		return errCoding
	}
	for item, rest := nextItem(value[:comma]); ; item, rest = nextItem(rest) {
		if len(item) == 0 || fold(item, "chunked") {
			return errCoding
		}
		if rest == nil {
			return errCodingUnknown
		}
	}
}

// connection takes one Connection field, a list of options (RFC 9110 §7.6.1).
// Nearly always it is one known option.
func (h *Head) connection(value []byte) {
	if option := connectionOption(value); option != 0 {
		h.flags |= option
		return
	}
	for value != nil {
		var item []byte
		item, value = nextItem(value)
		h.flags |= connectionOption(item)
	}
}

// connectionOption gives the flag of a connection option, 0 for others.
func connectionOption(item []byte) flags {
	switch {
	case fold(item, "keep-alive"):
		return sawKeepAlive
	case fold(item, "close"):
		return sawClose
	case fold(item, "upgrade"):
		return sawUpgrade
	}
	return 0
}

// upgrade takes one Upgrade field, a list of protocols (RFC 9110 §7.8).
func (h *Head) upgrade(value []byte) {
	for value != nil {
		var item []byte
		item, value = nextItem(value)
		if fold(item, "websocket") {
			h.flags |= sawWebSocket
		}
	}
}

// expect takes Expect, of which only 100-continue exists (RFC 9110 §10.1.1).
func (h *Head) expect(value []byte) error {
	if !sameName(value, "100-continue") {
		return errExpect
	}
	h.flags |= sawExpect
	return nil
}

// nextItem cuts the first element off a comma-separated list; rest is nil
// after the last one.
func nextItem(list []byte) (item, rest []byte) {
	if comma := bytes.IndexByte(list, ','); comma >= 0 {
		return trim(list[:comma]), list[comma+1:]
	}
	return trim(list), nil
}
