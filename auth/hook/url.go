package hook

import (
	"errors"
	"net/url"
	"strings"
)

// target is where the application is asked.
type target struct {
	url    string // of the request
	socket string // path of the Unix socket; "" = TCP
}

// What is wrong with a URL. No text has the URL: there may be a secret in it.
var (
	errNoURL = errors.New("hook: no URL")
	errForm  = errors.New("hook: a URL is http://host/path, https://host/path or " +
		"unix:/path/to.sock:/path")
	errUser   = errors.New("hook: user and password in the URL are not sent; use a secret")
	errAnchor = errors.New("hook: a URL has no #fragment")
)

// parseTarget takes one of http://host[:port]/path, https://host[:port]/path and
// unix:/path/to.sock[:/path]. A name that begins with @ is of the abstract namespace.
func parseTarget(s string) (target, error) {
	if s == "" {
		return target{}, errNoURL
	}
	socket := ""
	if rest, ok := strings.CutPrefix(s, "unix:"); ok {
		path := ""
		socket, path, ok = strings.Cut(rest, ":/")
		if len(socket) < 2 || socket[0] != '/' && socket[0] != '@' || strings.HasPrefix(socket, "//") {
			return target{}, errForm
		}
		s = "http://localhost/"
		if ok {
			s += path
		}
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return target{}, errForm
	case u.User != nil:
		return target{}, errUser
	case u.Fragment != "" || strings.HasSuffix(s, "#"):
		return target{}, errAnchor
	}
	return target{url: u.String(), socket: socket}, nil
}
