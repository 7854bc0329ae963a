package hook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/chskd/chskd/auth"
)

const (
	// bodyMax bounds an answer's body: handshake data goes to every client with it.
	bodyMax = 64 << 10
	// headMax bounds an answer's head.
	headMax = 16 << 10
	// idleMax is how long an unused connection is kept.
	idleMax = 30 * time.Second

	timeoutDefault = 2 * time.Second
	connsDefault   = 64
)

// Config is what New checks and keeps.
type Config struct {
	URL     string        // http://host/path, https://host/path, unix:/path/to.sock:/path
	Timeout time.Duration // of the whole exchange, dialing included; 0 = 2 s
	Conns   int           // at once, and kept when idle; 0 = 64
	Secret  string        // sent as Chskd-Secret; "" = not sent
	Cache   time.Duration // how long a granted answer may be remembered

	TLS *tls.Config      // for https; nil = the system's roots
	Now func() time.Time // nil = time.Now
	Log *slog.Logger     // nil = none
}

// Client asks the application. Any goroutine.
type Client struct {
	target    target
	config    Config
	transport *http.Transport
	log       limited
}

// New checks the configuration and makes a Client of it. Nothing is dialed. Errors have nothing
// of the URL or the secret.
func New(c Config) (*Client, error) {
	to, err := parseTarget(c.URL)
	if err != nil {
		return nil, err
	}
	if !fieldValue(c.Secret) {
		return nil, errors.New("hook: the secret has control characters, maybe a line's end")
	}
	if c.Timeout <= 0 {
		c.Timeout = timeoutDefault
	}
	if c.Conns <= 0 {
		c.Conns = connsDefault
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Client{target: to, config: c, transport: newTransport(to, &c),
		log: limited{log: c.Log, now: c.Now}}, nil
}

// newTransport makes the pool of connections. Where requests go is the operator's choice alone:
// no proxy of the environment, and, since only RoundTrip is used, no redirects and no cookie jar.
func newTransport(to target, c *Config) *http.Transport {
	// A dial outlives the request that began it, so it has a bound of its own.
	dialer := &net.Dialer{Timeout: c.Timeout, KeepAlive: idleMax}
	dial := dialer.DialContext
	if to.socket != "" {
		dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", to.socket)
		}
	}
	return &http.Transport{
		DialContext: dial, TLSClientConfig: c.TLS, TLSHandshakeTimeout: c.Timeout,
		DisableCompression: true, MaxResponseHeaderBytes: headMax, IdleConnTimeout: idleMax,
		MaxIdleConns: c.Conns, MaxIdleConnsPerHost: c.Conns, MaxConnsPerHost: c.Conns,
	}
}

// Close closes idle connections. What is under way is ended by its context.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Ask asks who the client behind q is, and blocks until it is known, the timeout is over or ctx
// is done. The grant is never nil. Its Refusal is the application's own (4xx), or that of Unknown,
// Unreachable or TimedOut, which are returned themselves. ttl is how long a granted answer may be
// remembered at most; also not beyond grant.Expires.
func (c *Client) Ask(ctx context.Context, q *Question) (grant *auth.Grant, ttl time.Duration) {
	if !q.sendable() {
		return badFields, 0
	}
	now := c.config.Now()
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	grant, err := c.exchange(ctx, q, now)
	if err == nil {
		return grant, c.config.Cache
	}
	if grant == nil {
		grant = c.trouble(ctx, err)
	}
	return grant, 0
}

// exchange makes the one request and reads its answer. With a refusal of the application's own
// that could not be passed on whole, grant and err are both set, and err is logged.
func (c *Client) exchange(ctx context.Context, q *Question, now time.Time) (*auth.Grant, error) {
	body, err := q.body()
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.target.url, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the URL makes no request")
	}
	r.Header = q.header(c.config.Secret)
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	// Unread, it is closed with its connection.
	defer func() { _ = resp.Body.Close() }() // nothing depends on it
	switch {
	case refuses(resp.StatusCode):
		grant, err := refusal(resp)
		if err != nil {
			c.log.say("the application's refusal was not passed on as it is", err.Error())
		}
		return grant, nil
	case resp.StatusCode != http.StatusOK:
		return nil, statusError(resp.StatusCode)
	}
	text, err := readBody(resp, bodyMax)
	if err != nil {
		return nil, err
	}
	return parseAnswer(text, now)
}

// readBody reads a body of at most limit bytes.
func readBody(resp *http.Response, limit int64) ([]byte, error) {
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, reason("the answer has a Content-Encoding, though none was offered")
	}
	if resp.ContentLength > limit {
		return nil, tooLong(limit)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = tooLong(limit)
	}
	return text, err
}
