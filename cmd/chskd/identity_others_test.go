package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// thefts are the modes in which a client proves who it is: two users, and what each comes with.
// In the others the uid is what the client says.
func thefts(t *testing.T) map[string]func() (d *daemon, alice, bob []string) {
	return map[string]func() (*daemon, []string, []string){
		"jwt": func() (*daemon, []string, []string) {
			return startDaemon(t, jwtFlags()...), []string{bearer(tokenOf("acme", "alice"))},
				[]string{bearer(tokenOf("acme", "bob"))}
		},
		"hook": func() (*daemon, []string, []string) {
			app := newApplication(t, false)
			app.say("s=alice", `{"uid":"alice","tenant":"acme"}`)
			app.say("s=bob", `{"uid":"bob","tenant":"acme"}`)
			return startDaemon(t, "--auth=hook", "--hook-url="+app.url, "--hook-cache=1h"),
				cookie("s=alice"), cookie("s=bob")
		},
		"header": func() (*daemon, []string, []string) {
			d := startDaemon(t, "--auth=header", "--header-uid=X-User", "--header-tenant=X-Tenant",
				"--trusted-proxies=127.0.0.1")
			return d, []string{"X-User: alice", "X-Tenant: acme"}, []string{"X-User: bob", "X-Tenant: acme"}
		},
	}
}

// TestClientTheft: a user who comes with the client-id of another gets nothing of the other's, and
// does not disturb it: not its WebSocket, not its polls, not what was pushed while it was away.
func TestClientTheft(t *testing.T) {
	t.Parallel()
	for mode, start := range thefts(t) {
		t.Run(mode, func(t *testing.T) {
			d, alice, bob := start()
			stream := openStream(t, d, false)
			toAlice := `"tenant":"acme","uid":"alice","flush":true`
			toClient := `"tenant":"acme","uid":"alice","client":"c1","flush":true`

			// Alice over WebSocket, and over polls with another client-id.
			ws, _ := openAs(t, d, "/chsk?client-id=c1", `"alice"`, "nil", alice...)
			ajax := openAjax(t, d, "c2", `"alice"`, alice...)
			ajax.poll("")
			userIs(t, d, "tenant=acme&uid=alice", 1, 1)

			thief, _ := openAs(t, d, "/chsk?client-id=c1", `"bob"`, "nil", bob...)
			pollThief := openAjax(t, d, "c2", `"bob"`, bob...)
			pollThief.poll("")
			userIs(t, d, "tenant=acme&uid=bob", 1, 1)
			thief.say("[[:a/b 1] nil]")
			stream.want("event bob c1 ws [:a/b 1]")
			post := ask(t, d, rawPost("/chsk", ajaxForm("c2", "[[:a/b 2] nil]"), bob...))
			if post.status != http.StatusOK {
				t.Fatalf("%d %s", post.status, post.body)
			}
			stream.want("event bob c2 ajax [:a/b 2]")

			pushEDN(t, d, toAlice, "[:for/alice 1]")
			pushEDN(t, d, toClient, "[:for/alice 2]")
			ws.want("text [[[:for/alice 1]] nil]", "text [[[:for/alice 2]] nil]")
			ajax.rawConn.want(http.StatusOK, "[[[:for/alice 1]] nil]")
			pushEDN(t, d, `"tenant":"acme","uid":"bob","flush":true`, "[:for/bob]")
			thief.want("text [[[:for/bob]] nil]")
			pollThief.rawConn.want(http.StatusOK, "[[[:for/bob]] nil]")

			// What waits for Alice while she is away is hers.
			_ = ws.tcp.Close() // she is away
			userIs(t, d, "tenant=acme&uid=alice", 0, 1)
			pushEDN(t, d, toClient, "[:for/alice 3]")
			again, _ := openAs(t, d, "/chsk?client-id=c1", `"bob"`, "nil", bob...)
			back, _ := openAs(t, d, "/chsk?client-id=c1", `"alice"`, "nil", alice...)
			back.want("text [[[:for/alice 3]] nil]")
			pushEDN(t, d, `"tenant":"acme","uid":"bob","flush":true`, "[:for/bob 2]")
			again.want("text [[[:for/bob 2]] nil]")

			// Nor does who shows nothing get anything, though all of it is remembered.
			if a := ask(t, d, rawGet("/chsk?client-id=c1")); a.status != http.StatusUnauthorized {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

// tenantLine is a line of a stream with its tenant.
type tenantLine struct {
	Type   string `json:"type"`
	Tenant string `json:"tenant"`
	UID    string `json:"uid"`
	EDN    string `json:"edn"`
}

// TestTenants: uid and tenant together name a user. What is for one tenant's never reaches
// another's of the same name, by whatever verb.
func TestTenants(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, jwtFlags()...)
	stream := openStream(t, d, false)
	tenants := []string{"acme", "other"}
	var ws []*chskConn
	var ajax []*ajaxConn
	for _, tenant := range tenants {
		fields := bearer(signed(map[string]any{"sub": "alice", "org": tenant, "rooms": []string{"news"}}))
		c, _ := openAs(t, d, "/chsk?client-id=c1", `"alice"`, "nil", fields)
		ws = append(ws, c)
		ajax = append(ajax, openAjax(t, d, "c2", `"alice"`, fields))
		ajax[len(ajax)-1].poll("")
		userIs(t, d, "uid=alice&tenant="+tenant, 1, 1)
	}
	for i, to := range []string{`"uid":"alice"`, `"uids":["alice","bob"]`, `"all":true`, `"topic":"news"`,
		`"uid":"alice","key":"k"`} {
		for at, tenant := range tenants {
			event := fmt.Sprintf("[:for/%s %d]", tenant, i)
			if got := pushEDN(t, d, fmt.Sprintf(`%s,"tenant":%q,"flush":true`, to, tenant), event); got != forSessions(2) {
				t.Errorf("%s: %s", to, got)
			}
			// Were it for both, the other would get it before its own.
			ws[at].want("text [[" + event + "] nil]")
			ajax[at].rawConn.want(http.StatusOK, "[["+event+"] nil]")
			ajax[at].poll("")
			userIs(t, d, "uid=alice&tenant="+tenant, 1, 1)
		}
	}
	for at, tenant := range tenants {
		ws[at].say("[[:a/b] nil]")
		var l tenantLine
		if err := stream.lines.Decode(&l); err != nil || l.Tenant != tenant || l.UID != "alice" {
			t.Errorf("%+v, %v", l, err)
		}
	}
	for _, c := range []struct{ path, body string }{
		{"/v1/leave", `{"tenant":"acme","uid":"alice","client":"c1","topic":"news"}`},
		{"/v1/close", `{"tenant":"acme","uid":"alice"}`},
	} {
		apiCall(t, d, c.path, c.body)
	}
	ws[0].want("close 1000")
	pushEDN(t, d, `"tenant":"other","topic":"news","flush":true`, "[:still/in]")
	ws[1].want("text [[[:still/in]] nil]")
	ajax[1].rawConn.want(http.StatusOK, "[[[:still/in]] nil]")
	ajax[1].poll("")
	userIs(t, d, "uid=alice&tenant=acme", 0, 0)
	userIs(t, d, "uid=alice&tenant=other", 1, 1)
	for tenant, users := range map[string]string{"other": `"any":["alice"]`, "acme": `"any":[]`, "": `"any":[]`} {
		if got := apiCall(t, d, "/v1/connected?tenant="+tenant, ""); !strings.Contains(got, users) {
			t.Errorf("online of %q: %s", tenant, got)
		}
	}
	if got := pushEDN(t, d, `"uid":"alice","flush":true`, "[:of/nobody]"); !strings.Contains(got, `"sessions":0`) {
		t.Errorf("a user of no tenant: %s", got)
	}
}
