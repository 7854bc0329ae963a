package hook

import (
	"encoding/json"
	"net/http"
)

// Question is what the application is told of a client's request. Immutable once asked.
type Question struct {
	ClientID  string
	Transport string // "ws" or "ajax"
	Method    string // "GET" or "POST"
	Query     string // the application's own parameters, not decoded
	Address   string // of the client, without port

	// Fields of the request as they came; "" = absent.
	Origin, Cookie, Authorization string
}

// body is the JSON of a question. Cookie and authorization are not in it: they are fields of the
// request, where the application looks for them anyway.
func (q *Question) body() ([]byte, error) {
	var origin *string
	if q.Origin != "" {
		origin = &q.Origin
	}
	return json.Marshal(struct {
		ClientID  string  `json:"client_id"`
		Transport string  `json:"transport"`
		Method    string  `json:"method"`
		Origin    *string `json:"origin"`
		Query     string  `json:"query"`
		Address   string  `json:"address"`
	}{q.ClientID, q.Transport, q.Method, origin, q.Query, q.Address})
}

// header is the fields of the request.
func (q *Question) header(secret string) http.Header {
	h := http.Header{
		"Content-Type": {"application/json"},
		"Accept":       {"application/json"},
		"User-Agent":   {"chskd"},
		// Asking twice does no harm. So net/http may ask again on a new connection when the
		// application closed an idle one just then; a field without values is not sent.
		"Idempotency-Key": {},
	}
	for name, value := range map[string]string{
		"Cookie": q.Cookie, "Authorization": q.Authorization, "Origin": q.Origin, "Chskd-Secret": secret,
	} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return h
}

// sendable tells whether the client's fields may stand in a request: a client must not be able
// to make asking fail, which would be held against the application.
func (q *Question) sendable() bool {
	return fieldValue(q.Cookie) && fieldValue(q.Authorization) && fieldValue(q.Origin)
}

// fieldValue tells whether s has no control characters but tabs (RFC 9110 §5.5).
func fieldValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
