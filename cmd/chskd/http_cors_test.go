package main_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// corsOf gives what an answer allows pages of other origins (Fetch standard §3.2).
func corsOf(a *rawAnswer) string {
	var b strings.Builder
	for _, name := range []string{
		"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Vary",
		"Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age",
	} {
		if v, ok := a.header[name]; ok {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(v, "|"))
		}
	}
	return b.String()
}

// allowed is what an answer tells a page of an allowed origin.
func allowed(origin string) string {
	return "Access-Control-Allow-Origin: " + origin +
		"\nAccess-Control-Allow-Credentials: true\nVary: Origin\n"
}

// preflight is a browser's question before a send from another origin (Fetch standard §4.8).
func preflight(origin string) string {
	return rawRequest("OPTIONS", "/chsk", "Origin: "+origin, "Access-Control-Request-Method: POST",
		"Access-Control-Request-Headers: x-csrf-token,x-requested-with")
}

const preflightGrant = "Access-Control-Allow-Methods: GET, POST, HEAD\n" +
	"Access-Control-Allow-Headers: x-csrf-token,x-requested-with\nAccess-Control-Max-Age: 600\n"

// TestCORS: pages of allowed origins may read answers of every kind, others may read none.
func TestCORS(t *testing.T) {
	t.Parallel()
	const app, other, same = "https://app.example", "https://evil.example", "http://" + rawHost
	for _, c := range []struct {
		allow string // --allowed-origins, "" = default
		good  []string
		bad   []string
	}{
		{"", []string{same}, []string{app, "null", "http://" + rawHost + ":81"}},
		{
			app + ",http://b.example:8080", []string{app, "http://b.example:8080"},
			[]string{other, same, app + ":444"},
		},
		{"all", []string{app, other, "null"}, nil},
	} {
		t.Run("allowed "+c.allow, func(t *testing.T) {
			t.Parallel()
			var args []string
			if c.allow != "" {
				args = []string{"--allowed-origins", c.allow}
			}
			d := startDaemon(t, args...)
			startRig(t, d.API, "edn", answer{"edn", "nil"})
			for _, origin := range c.good {
				testAllowedOrigin(t, d, origin)
			}
			for _, origin := range c.bad {
				testOtherOrigin(t, d, origin)
			}
		})
	}
}

func testAllowedOrigin(t *testing.T, d *daemon, origin string) {
	t.Helper()
	o := "Origin: " + origin
	for _, c := range []struct {
		name, request string
		status        int
		want          string
	}{
		{"handshake", rawGet("/chsk?client-id=c&handshake%3F", o), 200, allowed(origin)},
		{"send", rawPost("/chsk", ajaxForm("c", "[[:x/y] nil]"), o), 200, allowed(origin)},
		{
			"send with reply", rawPost("/chsk", ajaxForm("c", "[[:test/echo 1] :ajax]"), o),
			200, allowed(origin),
		},
		{"refusal", rawGet("/chsk", o), 400, allowed(origin)},
		{"undecodable send", rawPost("/chsk", ajaxForm("c", "("), o), 400, allowed(origin)},
		{"preflight", preflight(origin), 204, allowed(origin) + preflightGrant},
	} {
		a := ask(t, d, c.request)
		if a.status != c.status || corsOf(a) != c.want {
			t.Errorf("%s from %s: %d\n%swant %d\n%s", c.name, origin, a.status, corsOf(a), c.status, c.want)
		}
		if a.status == 204 && (a.length > 0 || a.header.Get("Content-Length") != "") {
			t.Errorf("RFC 9110 8.6: 204 with a length: %v", a.header)
		}
	}
	// A poll that is answered later, of a client that is named after its origin.
	target := "/chsk?client-id=" + url.QueryEscape(origin)
	poll := dialRaw(t, d)
	poll.send(rawGet(target+"&handshake%3F", o))
	poll.want(200, helloEDN(`"`+origin+`"`))
	poll.send(rawGet(target, o))
	userIs(t, d, "uid="+url.QueryEscape(origin), 0, 1)
	pushEDN(t, d, `"uid":"`+origin+`"`, "[:a/b]")
	if a := poll.want(200, "[[[:a/b]] nil]"); corsOf(a) != allowed(origin) {
		t.Errorf("a poll's answer: %s", corsOf(a))
	}
}

func testOtherOrigin(t *testing.T, d *daemon, origin string) {
	t.Helper()
	o := "Origin: " + origin
	for _, c := range []struct {
		name, request string
	}{
		{"handshake", rawGet("/chsk?client-id=c&handshake%3F", o)},
		{"send", rawPost("/chsk", ajaxForm("c", "[[:x/y] nil]"), o)},
		{"upgrade", rawUpgrade("/chsk?client-id=c", o)},
		{"preflight", preflight(origin)},
	} {
		a := ask(t, d, c.request)
		if a.status != 403 || a.body != "Unauthorized origin" || corsOf(a) != "" {
			t.Errorf("%s from %s: %d %q\n%s", c.name, origin, a.status, a.body, corsOf(a))
		}
	}
}
