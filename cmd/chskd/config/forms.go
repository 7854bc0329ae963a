package config

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/chskd/chskd/packer"
)

// The forms of texts. Each says whether a text is taken, and why not where that is not plain from
// what to write instead.

// hostPort takes host:port, with an empty host for all addresses.
func hostPort(text string) (string, bool) {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", false
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "the port is not a number below 65536", false
	}
	return "", true
}

// webPath takes the path of a URL.
func webPath(text string) (string, bool) {
	return "", strings.HasPrefix(text, "/") && !strings.ContainsAny(text, "?# \t\r\n")
}

// filePath takes the path of a file that can be named.
func filePath(text string) (string, bool) { return "", !strings.ContainsAny(text, "\x00\r\n") }

// socketPath takes what fits into a sockaddr_un (unix(7)).
func socketPath(text string) (string, bool) {
	if len(text) > 107 {
		return "it is longer than 107 bytes", false
	}
	return filePath(text)
}

// fieldName takes the name of a field of a request, or of a cookie.
func fieldName(text string) (string, bool) { return "", isToken(text) }

// line takes any text without control characters.
func line(text string) (string, bool) {
	return "", strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
}

// webURL takes a URL that keys are fetched from.
func webURL(text string) (string, bool) { return "", isURL(text, "https", "http") }

// origin takes what browsers send as Origin (RFC 6454 §6.2), and all.
func origin(text string) (string, bool) {
	if text == "all" || text == "null" {
		return "", true
	}
	u, err := url.Parse(text)
	if err == nil && u.Scheme != "" && u.Hostname() != "" && u.User == nil &&
		u.RawQuery == "" && u.Fragment == "" && (u.Path == "" || u.Path == "/") {
		return "", true
	}
	if text == "*" {
		return "any origin is called all", false
	}
	return "it is not scheme://host[:port]", false
}

// ednValue takes one edn value.
func ednValue(text string) (string, bool) {
	if err := packer.EDN.CheckValue([]byte(text)); err != nil {
		return "it is not an edn value", false
	}
	return "", true
}

// packerNames are the names of all packers.
func packerNames() []string { return strings.Split(packer.AllPackers.String(), ", ") }
