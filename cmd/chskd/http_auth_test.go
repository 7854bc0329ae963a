package main_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
)

// authCase is one request and how it is refused; an empty body is no refusal.
type authCase struct {
	name, request string
	status        int
	body          string
}

// playAuth asks every case. Those that are not refused are a handshake, a send or an upgrade.
func playAuth(t *testing.T, d *daemon, cases []authCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := ask(t, d, c.request)
			if a.status != c.status || c.body != "" && a.body != c.body {
				t.Errorf("answered %d %q, want %d %q", a.status, a.body, c.status, c.body)
			}
		})
	}
}

const (
	badToken  = "Bad CSRF token"
	badOrigin = "Unauthorized origin"
)

// TestCSRF: the token in every place where it may be. The first place that has one counts, even if
// another has the right one.
func TestCSRF(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--csrf-token", "secret")
	const x, xx, target = "x-csrf-token: ", "X-XSRF-Token: ", "/chsk?handshake%3F&client-id=c"
	form := ajaxForm("c", "[[:x/y] nil]")
	playAuth(t, d, []authCase{
		{"poll, none", rawGet(target), 403, badToken},
		{"poll, param", rawGet(target + "&csrf-token=secret"), 200, helloEDN(`"c"`)},
		{"poll, x-csrf-token", rawGet(target, x+"secret"), 200, helloEDN(`"c"`)},
		{"poll, x-xsrf-token", rawGet(target, xx+"secret"), 200, helloEDN(`"c"`)},
		{"poll, stock client without a token", rawGet(target, x+"null"), 403, badToken},
		{"poll, longer", rawGet(target, x+"secrets"), 403, badToken},
		{"poll, shorter", rawGet(target, x+"secre"), 403, badToken},
		{"poll, empty", rawGet(target, x), 403, badToken},
		{"poll, other case", rawGet(target, x+"Secret"), 403, badToken},
		{"param before field", rawGet(target+"&csrf-token=x", x+"secret"), 403, badToken},
		{"empty param before field", rawGet(target+"&csrf-token=", x+"secret"), 403, badToken},
		{"x-csrf-token before x-xsrf-token", rawGet(target, xx+"secret", x+"x"), 403, badToken},
		{"right one first", rawGet(target+"&csrf-token=secret", x+"x", xx+"y"), 200, helloEDN(`"c"`)},
		{"upgrade, none", rawUpgrade("/chsk?client-id=c"), 403, badToken},
		{"upgrade, param", rawUpgrade("/chsk?client-id=c&csrf-token=secret"), 101, ""},
		{"upgrade, x-csrf-token", rawUpgrade("/chsk?client-id=c", x+"secret"), 101, ""},
		{"send, none", rawPost("/chsk", form), 403, badToken},
		{"send, form", rawPost("/chsk", form+"&csrf-token=secret"), 200, ajaxDummy},
		{"send, query", rawPost("/chsk?csrf-token=secret", form), 200, ajaxDummy},
		{"send, x-csrf-token", rawPost("/chsk", form, x+"secret"), 200, ajaxDummy},
		{"send, x-xsrf-token", rawPost("/chsk", form, xx+"secret"), 200, ajaxDummy},
		{"send, undecodable without a token", rawPost("/chsk", ajaxForm("c", "(")), 403, badToken},
		{"client-id before token", rawGet("/chsk?handshake%3F"), 400, "missing client-id"},
	})
}

// TestOriginRule: Origin, else Referer (a browser's polls of the same origin have no Origin).
func TestOriginRule(t *testing.T) {
	t.Parallel()
	const o, r, good, evil = "Origin: ", "Referer: ", "https://good.example", "https://evil.example"
	poll := func(fields ...string) string {
		return rawGet("/chsk?client-id=c&handshake%3F", fields...)
	}
	form := ajaxForm("c", "[[:x/y] nil]")
	t.Run("list", func(t *testing.T) {
		d := startDaemon(t, "--allowed-origins", good)
		playAuth(t, d, []authCase{
			{"origin", poll(o + good), 200, helloEDN(`"c"`)},
			{"other origin", poll(o + evil), 403, badOrigin},
			{"longer origin", poll(o + good + ".evil.example"), 403, badOrigin},
			{"null", poll(o + "null"), 403, badOrigin},
			{"neither", poll(), 403, badOrigin},
			{"referer", poll(r + good + "/page?x"), 200, helloEDN(`"c"`)},
			{"referer without a path", poll(r + good), 403, badOrigin},
			{"longer referer", poll(r + good + ".evil.example/"), 403, badOrigin},
			{"other referer", poll(r + evil + "/" + good + "/"), 403, badOrigin},
			{"origin counts before referer", poll(o+evil, r+good+"/"), 403, badOrigin},
			{"upgrade", rawUpgrade("/chsk?client-id=c", o+good), 101, ""},
			{"upgrade, referer", rawUpgrade("/chsk?client-id=c", r+good+"/"), 101, ""},
			{"upgrade, other origin", rawUpgrade("/chsk?client-id=c", o+evil), 403, badOrigin},
			{"upgrade, neither", rawUpgrade("/chsk?client-id=c"), 403, badOrigin},
			{"send", rawPost("/chsk", form, o+good), 200, ajaxDummy},
			{"send, other origin", rawPost("/chsk", form, o+evil), 403, badOrigin},
			{"send, neither", rawPost("/chsk", form), 403, badOrigin},
		})
	})
	t.Run("same origin", func(t *testing.T) {
		const same = "http://" + rawHost
		playAuth(t, startDaemon(t), []authCase{
			{"a program: neither", poll(), 200, helloEDN(`"c"`)},
			{"same", poll(o + same), 200, helloEDN(`"c"`)},
			{"behind TLS", poll(o + "https://" + rawHost), 200, helloEDN(`"c"`)},
			{"referer", poll(r + same + "/page"), 200, helloEDN(`"c"`)},
			{"other", poll(o + evil), 403, badOrigin},
			{"other referer", poll(r + evil + "/"), 403, badOrigin},
			{"null", poll(o + "null"), 403, badOrigin},
			{"other port", poll(o + same + ":81"), 403, badOrigin},
			{"upgrade, other", rawUpgrade("/chsk?client-id=c", o+evil), 403, badOrigin},
		})
	})
	t.Run("token before origin", func(t *testing.T) {
		d := startDaemon(t, "--csrf-token", "secret")
		playAuth(t, d, []authCase{{"both wrong", poll(o + evil), 403, badToken}})
	})
}

// TestClientID: a request without client-id is refused with a plain reason, of every kind.
func TestClientID(t *testing.T) {
	t.Parallel()
	const missing = "missing client-id"
	long, uid := strings.Repeat("c", 128), strings.Repeat("u", 256)
	const shake = "/chsk?handshake%3F&client-id="
	d := startDaemon(t, "--auth", "dev")
	playAuth(t, d, []authCase{
		{"poll", rawGet("/chsk"), 400, missing},
		{"poll, empty", rawGet("/chsk?client-id="), 400, missing},
		{"poll, blank", rawGet("/chsk?client-id=+%20"), 400, missing},
		{"upgrade", rawUpgrade("/chsk?uid=x"), 400, missing},
		{"send", rawPost("/chsk", "ppstr=%5B%5B:x/y%5D+nil%5D"), 400, missing},
		{"as long as may be", rawGet(shake + long), 200, helloEDN(`"` + long + `"`)},
		{"a byte longer", rawGet("/chsk?client-id=c" + long), 400, "client-id is longer than 128 bytes"},
		{"not UTF-8", rawGet("/chsk?client-id=%FF"), 400, "client-id is not UTF-8"},
		{"uid as long as may be", rawGet(shake + "c&uid=" + uid), 200, helloEDN(`"` + uid + `"`)},
		{"uid a byte longer", rawGet(shake + "c&uid=u" + uid), 400, "uid is longer than 256 bytes"},
		{"uid not UTF-8", rawGet("/chsk?client-id=c&uid=%C3"), 400, "uid is not UTF-8"},
		{"uid with quotes", rawGet(shake + "c&uid=%22%5C%0A"), 200, helloEDN(`"\"\\\n"`)},
	})
}

// TestModeClient: the uid is the client-id, whatever the client says.
func TestModeClient(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--ms-allow-reconnect-before-close-ajax", neverMs)
	s := openStream(t, d, true)
	openChannel(t, d, "/chsk?client-id=tab&uid=alice", `"tab"`)
	s.want("open tab")
	ask(t, d, rawPost("/chsk?uid=alice", ajaxForm("tab", "[[:x/y] nil]")))
	s.want("event tab tab ajax [:x/y]")
}

// TestModeAnonymous: nobody has a uid; what is pushed to uid null reaches all of them, and no one
// else.
func TestModeAnonymous(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "anonymous", "--ms-allow-reconnect-before-close-ajax", neverMs)
	s := openStream(t, d, true)
	const nobody = ":sente/nil-uid"
	var tabs []*chskConn
	for _, client := range []string{"a", "b", "c", "d"} {
		tabs = append(tabs, openChannel(t, d, "/chsk?uid=alice&client-id="+client, nobody))
	}
	s.want("open null") // once, though they are many
	poll := dialRaw(t, d)
	poll.send(rawGet("/chsk?client-id=e&handshake%3F"))
	poll.want(200, helloEDN(nobody))
	poll.send(rawGet("/chsk?client-id=e&udt=1"))
	userIs(t, d, "nil_uid=1", 4, 1)

	if got := pushEDN(t, d, `"uid":null`, "[:to/all 1]"); got != forSessions(5) {
		t.Errorf("pushed to uid null: %s", got)
	}
	for _, tab := range tabs {
		tab.want("text [[[:to/all 1]] nil]")
	}
	poll.want(200, "[[[:to/all 1]] nil]")
	if got := pushEDN(t, d, `"uid":null,"client":"b"`, "[:to/b 2]"); got != forSessions(1) {
		t.Errorf("pushed to one of uid null: %s", got)
	}
	tabs[1].want("text [[[:to/b 2]] nil]")
	for _, uid := range []string{"a", "alice", ":sente/nil-uid", "sente/nil-uid"} {
		if got := pushEDN(t, d, `"uid":"`+uid+`"`, "[:to/x 3]"); got != forSessions(0) {
			t.Errorf("pushed to %s: %s", uid, got)
		}
	}
	tabs[0].say("[[:x/y] nil]")
	s.want("event null a ws [:x/y]")
	ask(t, d, ajaxSend("e", "[[:x/z] nil]"))
	s.want("event null e ajax [:x/z]")
	if got := apiCall(t, d, "/v1/close", `{"uid":null,"code":4001}`); got != forSessions(5) {
		t.Errorf("close of uid null: %s", got)
	}
	for _, tab := range tabs {
		tab.want("close 4001")
	}
}

// TestModeDev: the uid is the parameter, which sends of stock clients do not have: the
// last one of their client-id counts for them.
func TestModeDev(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth", "dev", "--ms-allow-reconnect-before-close-ajax", neverMs)
	s := openStream(t, d, true)
	ask(t, d, ajaxSend("early", "[[:x/y 0] nil]"))
	s.want("open early", "event early early ajax [:x/y 0]")

	poll := dialRaw(t, d)
	poll.send(rawGet("/chsk?client-id=tab&uid=alice&handshake%3F"))
	poll.want(200, helloEDN(`"alice"`))
	ask(t, d, ajaxSend("tab", "[[:x/y 1] nil]"))
	s.want("open alice", "event alice tab ajax [:x/y 1]")
	openChannel(t, d, "/chsk?client-id=tab&uid=bob", `"bob"`)
	s.want("open bob")
	ask(t, d, ajaxSend("tab", "[[:x/y 2] nil]"))
	s.want("event bob tab ajax [:x/y 2]")
	ask(t, d, ajaxSend("other", "[[:x/y 3] nil]"))
	s.want("open other", "event other other ajax [:x/y 3]")
	openChannel(t, d, "/chsk?client-id=plain", `"plain"`)
	s.want("open plain")
}

// TestRefusesToStart: who may name themselves may do it on this machine only, and a setting that
// makes no sense ends the start with what to write instead.
func TestRefusesToStart(t *testing.T) {
	t.Parallel()
	// 203.0.113.1 is nobody's address (RFC 5737): that it cannot be bound shows that it was tried.
	const bind = "bind: cannot assign requested address"
	for _, c := range []struct {
		args string
		want string // a part of what is said
	}{
		{"--listen 0.0.0.0:0", "--insecure"},
		{"--listen :0", "--insecure"},
		{"--listen [::]:0", "--insecure"},
		{"--listen 203.0.113.1:0", "--insecure"},
		{"--listen 203.0.113.1:0 --auth dev", "--insecure"},
		{"--listen 203.0.113.1:0 --demo", "--insecure"},
		{"--listen 203.0.113.1:0 --insecure", bind},
		{"--listen 203.0.113.1:0 --auth dev --insecure", bind},
		{"--listen 203.0.113.1:0 --auth anonymous", bind},
		{"--listen 127.0.0.1", "write host:port, as 127.0.0.1:8080"},
		{"--listen nonsense", "write host:port, as 127.0.0.1:8080"},
		{"--listen 127.0.0.1:99999", "the port is not a number below 65536"},
		{"--path chsk", "must start with /"},
		{"--path /a?b", "no ?, # or space"},
		{"--packer xml", `--packer "xml": write one of edn, json, `},
		{"--allowed-packers edn,xml", `--allowed-packers "xml": write all, or a list of some of edn, `},
		{"--allowed-packers edn,all", `--allowed-packers "all"`},
		{"--allowed-packers json,gzip-edn", `add it there, or write --packer and one of json, gzip-edn`},
		{"--packer msgpack --allowed-packers edn", `--packer msgpack is not allowed`},
		{"--handshake-data 99999999999999999999999", "handshake-data cannot be written in msgpack"},
		{"--auth root", `--auth "root": write some of jwt, header, hook, client, anonymous, dev`},
		{"--loops -1", "--loops -1: write a whole number, 0 to 256"},
		{"--loops 257", "--loops 257: write a whole number, 0 to 256"},
		{"--loops many", `--loops "many": write a whole number, 0 to 256`},
		{"--log-level loud", `--log-level "loud": write debug, info, warn or error`},
		{"--on-gap ignore", `--on-gap "ignore": write notice or close`},
		{"--redelivery maybe", `--redelivery "maybe": write tcp, pong or off`},
		{"--allowed-origins example.com", `--allowed-origins`},
		{"--allowed-origins example.com", `"example.com": it is not scheme://host[:port]`},
		{"--allowed-origins https://a.example/x", "is not scheme://host[:port]"},
		{"--allowed-origins all,https://a.example", `"all" stands alone`},
		{"--handshake-data {:a", "it is not an edn value"},
		{"--handshake-data 1]", "it is not an edn value"},
		{"--ws-kalive-ms 1", "--ws-kalive-ms 1: write 100 to 86400000"},
		{"--ws-ping-timeout-ms 0", "--ws-ping-timeout-ms 0: write 100 to 86400000"},
		{"--lp-timeout-ms 0", "--lp-timeout-ms 0: write 100 to 59999"},
		{"--lp-timeout-ms 60000", "--lp-timeout-ms 60000: write 100 to 59999"},
		{"--lp-timeout-ms -1", "--lp-timeout-ms -1: write 100 to 59999"},
		{"--send-buf-ms-ws 60001", "--send-buf-ms-ws 60001: write 0 to 60000"},
		{"--send-buf-ms-ajax soon", `--send-buf-ms-ajax "soon": write 0 to 60000`},
		{"--ms-allow-reconnect-before-close-ws 4294967295", "close-ws 4294967295: write 0 to 86400000"},
		{"--ms-allow-reconnect-before-close-ajax 86400001", "close-ajax 86400001: write 0 to 86400000"},
		{"--session-keep-ms 4294967295", "--session-keep-ms 4294967295: write 0 to 86400000"},
		{"--drain-ms 86400001", "--drain-ms 86400001: write 0 to 86400000"},
		{"--max-message-bytes 1023", "--max-message-bytes 1023: write 1KiB to 16MiB"},
		{"--max-message-bytes 16777217", "--max-message-bytes 16777217: write 1KiB to 16MiB"},
		{"--max-out-bytes 4095", "--max-out-bytes 4095: write 4KiB to 1GiB"},
		{"--max-conns -1", "--max-conns -1: write a whole number, 0 to 1000000000"},
		{"--debug-echo echo", `--debug-echo "echo": write a path that begins with /`},
		{"--debug-echo /chsk/x", `--debug-echo "/chsk/x": write a path`},
		{"--port 80", "unknown flag: --port"},
		{"now", `unknown command "now"`},
	} {
		t.Run(c.args, func(t *testing.T) {
			text, code := failedStart(t, strings.Fields(c.args))
			if code <= 0 || !strings.Contains(text, c.want) || strings.Count(text, "\n") != 1 {
				t.Errorf("exit code %d, %q; want one line with %q", code, text, c.want)
			}
		})
	}
}

// failedStart runs `chskd serve` with these arguments and gives what it said.
func failedStart(t *testing.T, args []string) (text string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), daemonStarts)
	defer cancel()
	args = append([]string{
		"serve", "--listen", "127.0.0.1:0", "--api-socket", shortPath(t, "s"),
	}, args...)
	cmd := exec.CommandContext(ctx, daemonProgram(t), args...)
	out, _ := cmd.CombinedOutput() // the exit code says it
	if ctx.Err() != nil {
		t.Fatalf("it started: %s", out)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// TestRebinding: a page whose own name was made to point at a daemon on loopback sends that name
// as Host. It is kept out by it where clients prove nothing, unless a proxy brings such names.
func TestRebinding(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	const target, host = "/chsk?handshake%3F&client-id=c", "Host: evil.example"
	const bad = "Host is a name of another machine; behind a proxy, set trusted_proxies"
	from := func(request string) string {
		return strings.Replace(request, "Host: "+rawHost, host, 1)
	}
	cases := []authCase{
		{"poll that says no origin", from(rawGet(target)), 403, bad},
		{"poll", from(rawGet(target, "Origin: http://evil.example")), 403, bad},
		{"upgrade", from(rawUpgrade("/chsk?client-id=c", "Origin: http://evil.example")), 403, bad},
		{"send", from(rawPost("/chsk", ajaxForm("c", "[[:x/y] nil]"))), 403, bad},
		{"a name of this machine", rawGet(target), 200, helloEDN(`"c"`)},
	}
	for _, c := range cases[:4] {
		if !strings.Contains(c.request, host) {
			t.Fatalf("%s has another Host: %q", c.name, c.request)
		}
	}
	playAuth(t, d, cases)
	for i := range cases {
		cases[i].status, cases[i].body = 200, ""
		if cases[i].name == "upgrade" {
			cases[i].status = 101
		}
	}
	playAuth(t, startDaemon(t, "--trusted-proxies", "127.0.0.1"), cases)
	playAuth(t, startDaemon(t, "--auth", "anonymous"), cases)
}
