package main_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// What tests of identity have: an application that is asked who somebody is, and tokens.

// question is what the application is asked.
type question struct {
	ClientID  string  `json:"client_id"`
	Transport string  `json:"transport"`
	Method    string  `json:"method"`
	Origin    *string `json:"origin"`
	Query     string  `json:"query"`
	Address   string  `json:"address"`

	cookie, authorization, secret string
}

// application answers what it is told to, by the cookie of whom it is asked about. Any goroutine.
type application struct {
	server *httptest.Server
	url    string // for --hook-url

	mu      sync.Mutex
	answers map[string]string // 200 and JSON, or a status, a space and a text
	asked   []question
	hold    chan struct{} // nil, or closed when it may answer
}

// newApplication serves over TCP, or at a Unix socket.
func newApplication(t *testing.T, unix bool) *application {
	t.Helper()
	a := &application{answers: map[string]string{}}
	a.server = httptest.NewUnstartedServer(a)
	if unix {
		path := filepath.Join(t.TempDir(), "app.sock")
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.server.Listener.Close() // the one that it made itself; nobody uses it
		a.server.Listener = l
		a.url = "unix:" + path + ":/who"
	}
	a.server.Start()
	if !unix {
		a.url = a.server.URL + "/who"
	}
	t.Cleanup(a.end)
	return a
}

// end is the end of the application.
func (a *application) end() {
	a.release()
	a.server.CloseClientConnections()
	a.server.Close()
}

// stall keeps the application from answering, until release.
func (a *application) stall() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hold = make(chan struct{})
}

func (a *application) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hold != nil {
		close(a.hold)
		a.hold = nil
	}
}

func (a *application) say(cookie, answer string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers[cookie] = answer
}

// questions are those since the last time.
func (a *application) questions() (q []question) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q, a.asked = a.asked, nil
	return q
}

func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := question{cookie: r.Header.Get("Cookie"), authorization: r.Header.Get("Authorization"),
		secret: r.Header.Get("Chskd-Secret")}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.Method != http.MethodPost || r.URL.Path != "/who" {
		http.Error(w, "not a question", http.StatusInternalServerError)
		return
	}
	a.mu.Lock()
	a.asked = append(a.asked, q)
	answer, hold := a.answers[q.cookie], a.hold
	a.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-r.Context().Done():
			return
		}
	}
	status := http.StatusOK
	if answer == "" {
		answer = "401 who are you?"
	}
	if answer[0] != '{' {
		var text string
		text, answer = answer[:3], answer[4:]
		fmt.Sscan(text, &status)
	}
	w.WriteHeader(status)
	fmt.Fprint(w, answer)
}

// cookie is how a page of the same origin comes with a cookie.
func cookie(value string) []string {
	return []string{"Cookie: " + value, "Sec-Fetch-Site: same-origin"}
}

const jwtSecret = "a secret of more than thirty-two bytes, for tests"

// jwtFlags are those of a daemon that takes the tokens here.
func jwtFlags(more ...string) []string {
	return append([]string{"--auth=jwt", "--jwt-secret=" + jwtSecret, "--jwt-tenant-claim=org",
		"--jwt-topics-claim=rooms", "--jwt-handshake-claim=data"}, more...)
}

// signed makes a token (HS256, RFC 7519) of claims; iat and exp are there if they are not said.
func signed(claims map[string]any) string {
	now := time.Now()
	all := map[string]any{"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "org": "acme"}
	for name, value := range claims {
		all[name] = value
	}
	body, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	b := base64.RawURLEncoding
	text := b.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + b.EncodeToString(body)
	mac := hmac.New(sha256.New, []byte(jwtSecret))
	mac.Write([]byte(text))
	return text + "." + b.EncodeToString(mac.Sum(nil))
}

// tokenOf is that of a user of a tenant.
func tokenOf(tenant, uid string) string { return signed(map[string]any{"sub": uid, "org": tenant}) }

func bearer(token string) string { return "Authorization: Bearer " + token }

// openAs opens a WebSocket with fields, and reads its handshake, which must be of uid and data
// as edn.
func openAs(t *testing.T, d *daemon, target, uid, data string, fields ...string) (*chskConn, http.Header) {
	t.Helper()
	raw := dialRaw(t, d)
	raw.send(rawUpgrade(target, fields...))
	a := raw.answer(http.MethodGet)
	if a.status != http.StatusSwitchingProtocols {
		t.Fatalf("%s %q: %d %s", target, fields, a.status, a.body)
	}
	c := &chskConn{t: t, tcp: raw.tcp, in: raw.in}
	c.want("text [[:chsk/handshake [" + uid + " nil " + data + "]] nil]")
	return c, a.header
}

// ajaxConn is a client over polls, on one connection.
type ajaxConn struct {
	*rawConn
	client string
	fields []string
	n      int
}

// openAjax makes a client and shakes hands, which must be of uid as edn.
func openAjax(t *testing.T, d *daemon, client, uid string, fields ...string) *ajaxConn {
	t.Helper()
	c := &ajaxConn{rawConn: dialRaw(t, d), client: client, fields: fields}
	c.poll("&handshake%3F=true")
	c.want(http.StatusOK, helloEDN(uid))
	return c
}

// poll sends the next poll.
func (c *ajaxConn) poll(params string) {
	c.n++
	c.send(rawGet(fmt.Sprintf("/chsk?client-id=%s&udt=%d%s", c.client, 1_700_000_000_000+c.n, params), c.fields...))
}

// frameAfter reads frames until one begins with prefix.
func (c *chskConn) frameAfter(prefix string) string {
	c.t.Helper()
	for {
		got, err := c.read("")
		if err != nil {
			c.t.Fatalf("no %q: %v", prefix, err)
		}
		if strings.HasPrefix(got, prefix) {
			return got
		}
	}
}

// noSecrets: the daemon has printed none of these.
func noSecrets(t *testing.T, d *daemon, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if strings.Contains(d.Stderr(), s) {
			t.Errorf("the daemon printed the secret %q:\n%s", s, d.Stderr())
		}
	}
}
