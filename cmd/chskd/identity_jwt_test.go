package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestJWT: a token says who a client is, from each place where it may be.
func TestJWT(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, jwtFlags("--jwt-from=authorization,cookie:session,query:token,protocol")...)
	mine := signed(map[string]any{"sub": "alice", "rooms": []string{"news"}, "data": map[string]any{"role": "admin"}})
	const hello = `{:role "admin"}`
	protocol := "Sec-WebSocket-Protocol: "
	for _, c := range []struct {
		name, target string
		fields       []string
		protocol     string
	}{
		{"authorization", "", []string{bearer(mine)}, ""},
		{"cookie", "", []string{"Cookie: a=b; session=" + mine, "Sec-Fetch-Site: same-origin"}, ""},
		{"query", "&token=" + mine, nil, ""},
		{"protocol", "", []string{protocol + "token." + mine + ", chsk", "Origin: http://" + rawHost}, "chsk"},
		{"protocol of a program", "", []string{protocol + "token." + mine}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ws, header := openAs(t, d, "/chsk?client-id=c1"+c.target, `"alice"`, hello, c.fields...)
			if got := header.Get("Sec-WebSocket-Protocol"); got != c.protocol {
				t.Errorf("subprotocol %q", got)
			}
			userIs(t, d, "tenant=acme&uid=alice", 1, 0)
			pushEDN(t, d, `"tenant":"acme","topic":"news","flush":true`, "[:news/one]")
			ws.want("text [[[:news/one]] nil]")
			_ = ws.tcp.Close() // the next one has the user to itself
			userIs(t, d, "tenant=acme&uid=alice", 0, 0)
		})
	}
	ajax := openAjaxWith(t, d, "c2", "["+`"alice" nil `+hello+"]", bearer(mine))
	ajax.send(rawPost("/chsk", ajaxForm("c2", "[[:a/b] nil]"), bearer(mine)))
	ajax.want(http.StatusOK, ajaxDummy)

	forged := mine[:len(mine)-4] + "AAAA"
	old := signed(map[string]any{"sub": "alice", "exp": time.Now().Add(-time.Hour).Unix()})
	for _, c := range []struct {
		name   string
		fields []string
		status int
	}{
		{"none", nil, 401},
		{"forged", []string{bearer(forged)}, 401},
		{"expired", []string{bearer(old)}, 401},
		{"no tenant", []string{bearer(signed(map[string]any{"sub": "alice", "org": nil}))}, 401},
		{"two", []string{protocol + "token." + mine + ", token." + mine}, 400},
		{"good cookie of another site's making", []string{"Cookie: session=" + mine, "Sec-Fetch-Site: cross-site"}, 403},
		{"page with a token for a subprotocol alone", []string{protocol + "token." + mine, "Origin: http://" + rawHost}, 400},
	} {
		if a := ask(t, d, rawUpgrade("/chsk?client-id=c1", c.fields...)); a.status != c.status ||
			strings.Contains(a.body, mine) {
			t.Errorf("%s: %d %q, want %d", c.name, a.status, a.body, c.status)
		}
	}
	noSecrets(t, d, mine, forged, old, jwtSecret)
}

// openAjaxWith is openAjax for a handshake of this text.
func openAjaxWith(t *testing.T, d *daemon, client, handshake string, fields ...string) *ajaxConn {
	t.Helper()
	c := &ajaxConn{rawConn: dialRaw(t, d), client: client, fields: fields}
	c.poll("&handshake%3F=true")
	c.rawConn.want(http.StatusOK, "[[:chsk/handshake "+handshake+"] nil]")
	return c
}

// TestJWTExpiry: a WebSocket ends with its token; Ajax clients are refused from then on.
func TestJWTExpiry(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, jwtFlags("--jwt-leeway=0s", "--expiry-notice=1m")...)
	mine := signed(map[string]any{"sub": "alice", "exp": time.Now().Add(10 * time.Second).Unix()})
	ws, _ := openAs(t, d, "/chsk?client-id=c1", `"alice"`, "nil", bearer(mine))
	ajax := openAjax(t, d, "c2", `"alice"`, bearer(mine))
	ajax.poll("")
	ws.frameAfter("text [[[:chskd/expiring {:ms ")
	ws.want("close 4401")
	ajax.rawConn.want(http.StatusOK, ajaxTimeout)
	ajax.poll("")
	if a := ajax.answer(http.MethodGet); a.status != http.StatusUnauthorized {
		t.Errorf("%d %s", a.status, a.body)
	}
	presentIs(t, d, 0, 0, 0)
}

// TestRevoke: close with revoke ends the sessions of a user, and refuses the tokens that it has;
// one of the same name of another tenant is not touched.
func TestRevoke(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, jwtFlags()...)
	mine, other := tokenOf("acme", "alice"), tokenOf("other", "alice")
	ws, _ := openAs(t, d, "/chsk?client-id=c1", `"alice"`, "nil", bearer(mine))
	theirs, _ := openAs(t, d, "/chsk?client-id=c1", `"alice"`, "nil", bearer(other))
	ajax := openAjax(t, d, "c2", `"alice"`, bearer(mine))
	ajax.poll("")
	userIs(t, d, "tenant=acme&uid=alice", 1, 1)
	if got := apiCall(t, d, "/v1/close", `{"tenant":"acme","uid":"alice","revoke":true}`); got != forSessions(2) {
		t.Error(got)
	}
	ws.want("close 4403")
	ajax.rawConn.want(http.StatusOK, ajaxTimeout)
	ajax.poll("")
	if a := ajax.answer(http.MethodGet); a.status != http.StatusUnauthorized || a.body != "token revoked" {
		t.Errorf("%d %q", a.status, a.body)
	}
	if a := ask(t, d, rawUpgrade("/chsk?client-id=c1", bearer(mine))); a.status != http.StatusUnauthorized {
		t.Errorf("%d %q", a.status, a.body)
	}
	later := signed(map[string]any{"sub": "alice", "iat": time.Now().Add(3 * time.Second).Unix()})
	openAs(t, d, "/chsk?client-id=c1", `"alice"`, "nil", bearer(later))
	openAs(t, d, "/chsk?client-id=c3", `"alice"`, "nil", bearer(other))
	pushEDN(t, d, `"tenant":"other","uid":"alice","flush":true`, "[:still/here]")
	theirs.want("text [[[:still/here]] nil]")

	plain := startDaemon(t)
	status, body := apiStatus(t, plain, "/v1/close", `{"uid":"alice","revoke":true}`)
	if status != http.StatusBadRequest || !strings.Contains(body, "nothing can be revoked") {
		t.Errorf("%d %s", status, body)
	}
}

// TestHeader: a trusted proxy says who a client is, and nobody else.
func TestHeader(t *testing.T) {
	t.Parallel()
	flags := []string{"--auth=header", "--header-uid=X-User", "--header-tenant=X-Tenant"}
	d := startDaemon(t, append(flags, "--trusted-proxies=127.0.0.1")...)
	fields := []string{"X-User: alice", "x-tenant: acme"}
	openAs(t, d, "/chsk?client-id=c1", `"alice"`, "nil", fields...)
	userIs(t, d, "tenant=acme&uid=alice", 1, 0)
	openAjax(t, d, "c1", `"alice"`, fields...)
	stranger := startDaemon(t, append(flags, "--trusted-proxies=10.1.2.3")...)
	for _, c := range []struct {
		d      *daemon
		fields []string
		status int
	}{
		{d, nil, 401},
		{d, []string{"X-User: "}, 401},
		{d, []string{"X-User: alice", "X-User: bob"}, 400},
		{d, []string{"X-User: alice", "X-Tenant: a", "X-Tenant: b"}, 400},
		{stranger, fields, 401},
	} {
		if a := ask(t, c.d, rawUpgrade("/chsk?client-id=c1", c.fields...)); a.status != c.status {
			t.Errorf("%q: %d %q, want %d", c.fields, a.status, a.body, c.status)
		}
	}
}

// TestChain: the first mode that applies decides.
func TestChain(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--auth=jwt,anonymous", "--jwt-secret="+jwtSecret)
	openAs(t, d, "/chsk?client-id=c1", `"alice"`, "nil", bearer(signed(map[string]any{"sub": "alice"})))
	openAs(t, d, "/chsk?client-id=c1", ":sente/nil-uid", "nil")
	if a := ask(t, d, rawUpgrade("/chsk?client-id=c1", bearer("x.y.z"))); a.status != 401 {
		t.Errorf("a bad token gets in as somebody else: %d %s", a.status, a.body)
	}
	if got := apiCall(t, d, "/v1/connected", ""); !strings.Contains(got, fmt.Sprintf("%q", "alice")) {
		t.Error(got)
	}
}
