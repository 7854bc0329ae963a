package auth

import (
	"fmt"
	"slices"
	"strings"
)

// Open lists what the settings leave open, a sentence each, for whoever starts the
// daemon. Empty = nothing.
func (c *Checker) Open() []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	switch c.chain[len(c.chain)-1] {
	case Client:
		say("auth client: who shows no credentials is whoever it says it is, since its uid is the client-id that it chose")
	case Dev:
		say("auth dev: anyone can be any user, by the parameter uid")
	case Anonymous:
		if len(c.chain) > 1 {
			say("auth anonymous: who shows no credentials comes in, without a uid")
		}
	}
	if c.has(Header) {
		say("auth header: %s is believed from trusted proxies; they must take it out of what clients send",
			strings.Trim(c.user+" and "+c.tenant, " and"))
	}
	if c.has(JWT) && slices.ContainsFunc(c.places, func(p place) bool { return p.kind == inQuery }) {
		say("jwt.from query: tokens stand in addresses, so in the logs of proxies")
	}
	c.openOrigins(say)
	if c.ByCookie() && len(c.cookie) == 0 {
		say("csrf: no csrf.cookie, so unless a hook or a claim gives each user a token of its own, a request " +
			"with cookies is judged by Origin, Referer and Sec-Fetch-Site alone")
	}
	if name := string(c.cookie); name != "" && !strings.HasPrefix(name, "__Host-") {
		say("csrf.cookie %s: other hosts of the same domain can set it; one whose name begins with __Host- they cannot", name)
	}
	return out
}

// openOrigins tells of allowed origins that may be anybody's.
func (c *Checker) openOrigins(say func(format string, args ...any)) {
	if c.origins.all {
		say("allowed_origins all: any page can talk to this server; with cookies only if a CSRF token protects them")
	}
	for _, o := range c.origins.list {
		host, plain := strings.CutPrefix(o, "http://")
		switch {
		case o == "null":
			say("allowed_origins null: pages in sandboxes and files of anybody have this origin")
		case plain && !local(host):
			say("allowed_origins %s: without TLS, whoever is on the way to it can be this page", o)
		}
	}
}

// local says whether a host[:port] is this machine.
func local(host string) bool {
	name, _ := splitPort([]byte(host))
	s := string(name)
	return s == "localhost" || strings.HasSuffix(s, ".localhost") || s == "[::1]" || strings.HasPrefix(s, "127.")
}
