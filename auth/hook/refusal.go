package hook

import (
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/chskd/chskd/auth"
)

const (
	refusalMax    = 1 << 10 // bytes of a refusal's body
	retryAfterMax = 3600    // s
)

// refuses tells whether a status is about the client. Some of 4xx are about the connection over
// which we ask, so they say nothing about the client.
func refuses(status int) bool {
	switch status {
	case http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusMisdirectedRequest,
		http.StatusTooEarly, http.StatusUpgradeRequired, http.StatusExpectationFailed:
		return false
	}
	return status >= 400 && status < 500
}

// refusal gives the client the application's status and body. A body that is not fit for it is
// replaced by the status's name, and err says why: a refusal must not become a "try again".
func refusal(resp *http.Response) (*auth.Grant, error) {
	r := &auth.Refusal{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header)}
	text, err := readBody(resp, refusalMax)
	if err == nil {
		r.Body, err = plainText(text)
	} else if _, known := err.(reason); !known {
		err = reason("the body of the refusal was not readable")
	}
	if r.Body == "" {
		r.Body = http.StatusText(r.Status)
	}
	if r.Body == "" {
		r.Body = "refused"
	}
	return &auth.Grant{Refusal: r}, err
}

// plainText gives a body as one line of text; white space around it is dropped.
func plainText(body []byte) (string, error) {
	if !utf8.Valid(body) {
		return "", reason("the body of the refusal is not UTF-8")
	}
	text := strings.TrimSpace(string(body))
	if strings.ContainsFunc(text, unicode.IsControl) {
		return "", reason("the body of the refusal has control characters, maybe several lines")
	}
	return text, nil
}

// retryAfter gives Retry-After in seconds; 0 = absent, or a date.
func retryAfter(h http.Header) int {
	n, err := strconv.ParseUint(h.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return min(int(n), retryAfterMax)
}
