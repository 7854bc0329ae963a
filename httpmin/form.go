package httpmin

import "bytes"

// Param finds the first parameter with this name (not encoded) in a query or
// an application/x-www-form-urlencoded body, and appends its value, decoded, to
// scratch. "+" is a space; an invalid "%" escape stays as it is, as the URL
// standard §5.1 says. A parameter without "=" is present and empty.
//
// value is the appended part, never nil when ok; rest is the grown scratch, to
// be given to the next call so that it does not overwrite this value. Nothing
// is allocated while scratch has room for the encoded value.
func Param(query []byte, name string, scratch []byte) (value, rest []byte, ok bool) {
	for len(query) > 0 {
		var key, encoded []byte
		key, encoded, query = NextParam(query)
		if !NameIs(key, name) {
			continue
		}
		n := len(scratch)
		rest = AppendUnescaped(scratch, encoded)
		if value = rest[n:len(rest):len(rest)]; value == nil {
			value = []byte{}
		}
		return value, rest, true
	}
	return nil, scratch, false
}

// HasParam says whether a parameter with this name is present, whatever its
// value.
func HasParam(query []byte, name string) bool {
	for len(query) > 0 {
		var key []byte
		if key, _, query = NextParam(query); NameIs(key, name) {
			return true
		}
	}
	return false
}

// Form says whether the body is a form: whether the media type of Content-Type
// is application/x-www-form-urlencoded, whatever its parameters.
func (h *Head) Form() bool { return h.media("application/x-www-form-urlencoded") }

// Octets says the same of application/octet-stream: the body is bytes.
func (h *Head) Octets() bool { return h.media(TypeOctets) }

// media says whether the media type of Content-Type is name, in whatever case
// (RFC 9110 §8.3.1).
func (h *Head) media(name string) bool {
	t := h.ContentType
	if semi := bytes.IndexByte(t, ';'); semi >= 0 {
		t = t[:semi]
	}
	return sameName(trim(t), name)
}
