package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Warnings are what is open or has no effect: a sentence each, to be told at the start and by
// `chskd check`. None of them keeps the daemon from running.
func (c *Config) Warnings() (out []string) {
	warn := func(when bool, format string, args ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	anyOrigin := slices.Equal(c.AllowedOrigins, []string{"all"})
	mode := c.lastMode()
	warn(anyOrigin, "pages of any origin may connect (%s all)", c.Name("allowed_origins"))
	warn(c.Insecure && !loopback(c.Listen) && (mode == "client" || mode == "dev"),
		"clients on the network may name themselves (%s, auth mode %s)", c.Name("insecure"), mode)
	warn(len(c.TrustedProxies) > 0 && (mode == "client" || mode == "dev"),
		"clients of the proxy may name themselves (%s, auth mode %s)", c.Name("trusted_proxies"), mode)
	warn(c.MetricsListen != "" && !loopback(c.MetricsListen),
		"whoever reaches %s can read the metrics (%s)", c.MetricsListen, c.Name("metrics_listen"))
	warn(c.DebugEcho != "" && !loopback(c.Listen), "everybody may use the echo (%s)", c.Name("debug_echo"))
	warn(c.Demo && !loopback(c.Listen), "everybody may use the demo (%s)", c.Name("demo"))
	warn(anyOrigin && c.byCookie() && c.CSRF.Token.text == "" && c.CSRF.Cookie == "" && c.JWT.CSRFClaim == "",
		"a page of any origin acts for whoever has logged in: cookies say who a client is, %s is all, "+
			"and no CSRF token is asked for", c.Name("allowed_origins"))
	for _, p := range c.TrustedProxies {
		warn(p.Bits() == 0, "everybody is a trusted proxy (%s %s)", c.Name("trusted_proxies"), p)
	}
	warn(slices.ContainsFunc(c.JWT.From, func(p TokenPlace) bool { return p.Kind == FromQuery }) && c.Asks("jwt"),
		"tokens in the query are kept in the logs of proxies (%s)", c.Name("jwt.from"))
	warn(c.Hook.URL.Socket == "" && plainHTTP(c.Hook.URL.URL), overNetwork, c.Name("hook.url"))
	warn(plainHTTP(c.JWT.JWKSURL), overNetwork, c.Name("jwt.jwks_url"))
	out = append(out, c.secretWarnings()...)
	out = append(out, c.idle()...)
	for _, name := range c.unknowns {
		warn(true, "%s is no option; %s", name, adviceVariable(name))
	}
	return out
}

const overNetwork = "%s goes over the network without TLS"

// byCookie says whether browsers authenticate by themselves.
func (c *Config) byCookie() bool {
	return c.Asks("hook") || c.Asks("jwt") &&
		slices.ContainsFunc(c.JWT.From, func(p TokenPlace) bool { return p.Kind == FromCookie })
}

func plainHTTP(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "http" && !loopbackHost(u.Hostname())
}

func (c *Config) secretWarnings() (out []string) {
	for _, k := range keys {
		if k.Secret() && c.from[k.Path].flag {
			out = append(out, fmt.Sprintf("every user of this machine can read %s in the list of processes; "+
				"use --%s-file", c.Name(k.Path), k.Flag()))
		}
	}
	for _, file := range c.loose {
		out = append(out, fmt.Sprintf("every user of this machine can read %s; chmod o-rwx it", file))
	}
	return out
}

// idle lists sections that are filled in for a mode that is not asked.
func (c *Config) idle() (out []string) {
	for _, mode := range []string{"jwt", "hook", "header"} {
		if c.Asks(mode) {
			continue
		}
		for _, k := range keys {
			if strings.HasPrefix(k.Path, mode+".") && c.Changed(k.Path) {
				out = append(out, fmt.Sprintf("%s has no effect: %s does not have %s", c.Name(k.Path),
					c.Name("auth"), mode))
				break
			}
		}
	}
	return out
}

// adviceVariable is what to write in place of a variable that is no option.
func adviceVariable(name string) string {
	if k := nearest("", strings.TrimPrefix(name, envPrefix)); k != nil {
		return "is " + k.Env() + " meant?"
	}
	return "`chskd config env` lists all"
}
