package jwt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
)

// Of the fetching of a key set.
const (
	bodyMax        = 1 << 20          // bytes of the answer
	defaultRefresh = 5 * time.Minute  //
	defaultTimeout = 5 * time.Second  //
	refreshMin     = 10 * time.Second // no setting may be below
	retryAfter     = 10 * time.Second // after a failed fetch
	againAfter     = 30 * time.Second // remote.every
	waitersMax     = 4                // tokens that wait for a fetch at the same time
	redirectsMax   = 3
)

// remote keeps the key set behind a URL fresh: it is fetched at start, every refresh,
// and when a token names a key that is not in it. The keys of the last good answer stay
// until the next good one.
type remote struct {
	keys    *Keys
	url     *url.URL
	refresh time.Duration
	timeout time.Duration
	every   time.Duration // the least between two fetches that tokens cause
	store   *store
	client  *http.Client

	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine has ended
	wake   chan struct{} // asks for a fetch

	mu      sync.Mutex
	running chan struct{} // closed when the fetch has ended; nil = none runs
	waiting int           // tokens that wait for it
	last    time.Time     // when the last one ended
	failed  bool          // it did
}

// newRemote checks the settings. Nothing is fetched before start.
func newRemote(k *Keys) (*remote, error) {
	u, err := url.Parse(k.conf.JWKSURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		// Without the address: it may have a password.
		return nil, errors.New("auth/jwt: jwt.jwks_url is not an address: write https://host/path")
	}
	r := &remote{keys: k, url: u, refresh: k.conf.JWKSRefresh, timeout: k.conf.JWKSTimeout,
		every: againAfter}
	if r.refresh == 0 {
		r.refresh = defaultRefresh
	}
	if r.timeout == 0 {
		r.timeout = defaultTimeout
	}
	if r.refresh < refreshMin {
		return nil, fmt.Errorf("auth/jwt: jwt.jwks_refresh %v: write 10s or more, as 5m", r.refresh)
	}
	r.store = &store{MemoryJWKSet: jwkset.NewMemoryStorage(), keys: k}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableKeepAlives = true // between two fetches are minutes
	r.client = &http.Client{Transport: limitedTransport{t}, CheckRedirect: r.redirect}
	return r, nil
}

// redirect follows a few, and never from TLS to none.
func (r *remote) redirect(to *http.Request, via []*http.Request) error {
	switch {
	case len(via) > redirectsMax:
		return errors.New("too many redirects")
	case r.url.Scheme == "https" && to.URL.Scheme != "https":
		return errors.New("redirected from https to http")
	}
	return nil
}

// safe says whether nobody on the way can change the answer.
func (r *remote) safe() bool {
	ip := net.ParseIP(r.url.Hostname())
	return r.url.Scheme == "https" || r.url.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// start begins the fetching. The first one counts as running from now on, so that the
// first token waits for it.
func (r *remote) start() {
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.done, r.wake = make(chan struct{}), make(chan struct{}, 1)
	r.running = make(chan struct{})
	go r.loop()
}

func (r *remote) stop() {
	r.cancel()
	<-r.done
}

// loop fetches when it is time, or when asked.
func (r *remote) loop() {
	defer close(r.done)
	for {
		wait := r.refresh
		if err := r.fetch(); err != nil {
			wait = min(retryAfter, r.refresh)
			if r.keys.conf.Log != nil && r.ctx.Err() == nil {
				r.keys.conf.Log.Warn("jwt.jwks_url: keys could not be fetched; the last good ones stay",
					slog.String("host", r.url.Host), slog.String("error", withoutURL(err).Error()))
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-r.ctx.Done():
			timer.Stop()
			return
		case <-r.wake:
			timer.Stop()
		case <-timer.C:
			r.begin()
		}
	}
}

// begin marks a fetch as running.
func (r *remote) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running == nil {
		r.running = make(chan struct{})
	}
}

// fetch asks once. NewStorageFromHTTP without interval is one request into the store.
func (r *remote) fetch() error {
	ctx, cancel := context.WithTimeout(r.ctx, r.timeout)
	defer cancel()
	_, err := jwkset.NewStorageFromHTTP(r.url.String(), jwkset.HTTPClientStorageOptions{
		Client: r.client, Ctx: ctx, HTTPTimeout: r.timeout, Storage: r.store,
		ValidateOptions: lenient,
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.failed = time.Now(), err != nil
	close(r.running)
	r.running = nil
	select {
	case <-r.wake: // asked for in the meantime, and done
	default:
	}
	return err
}

// again waits for a fetch because a token names a key that is not there, or says why
// not. What tokens can cause is bounded, since anybody can write a kid: one fetch in
// every, and a few that wait for it.
func (r *remote) again() *Error {
	r.mu.Lock()
	if r.running == nil {
		if time.Since(r.last) < r.every {
			defer r.mu.Unlock()
			if r.failed {
				return errKeysAway
			}
			return nil // it is not there: the set is fresh
		}
		r.running = make(chan struct{})
		r.wake <- struct{}{} // has room: the last fetch emptied it
	}
	if r.waiting >= waitersMax {
		r.mu.Unlock()
		return errKeysAway
	}
	r.waiting++
	running := r.running
	r.mu.Unlock()

	select {
	case <-running:
	case <-r.done:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting--
	if r.failed {
		return errKeysAway
	}
	return nil
}

// withoutURL takes the address out of an error of net/http: it may have a password.
func withoutURL(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return plain(err)
}

// limitedTransport bounds the bodies of answers.
type limitedTransport struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t limitedTransport) RoundTrip(q *http.Request) (*http.Response, error) {
	a, err := t.RoundTripper.RoundTrip(q)
	if err != nil {
		return nil, err
	}
	if a.ContentLength > bodyMax {
		return nil, errors.Join(errors.New("answer is longer than 1 MiB"), a.Body.Close())
	}
	a.Body = http.MaxBytesReader(nil, a.Body, bodyMax)
	return a, nil
}

// store takes the keys of an answer.
type store struct {
	*jwkset.MemoryJWKSet
	keys *Keys
}

// KeyReplaceAll implements jwkset.Storage. An answer without a usable key is none: it
// would lock everybody out. Single keys are passed over if they are for something else,
// weak, private or secret (what is published is neither), or have the kid of another.
func (s *store) KeyReplaceAll(_ context.Context, given []jwkset.JWK) error {
	all := append([]key(nil), s.keys.static...)
	for _, jwk := range given {
		m := jwk.Marshal()
		public := jwk.Key()
		_, secret := public.([]byte)
		if secret || !forSignatures(m) || weakness(public) != "" || len(m.KID) > kidMax ||
			len(all) == keysMax || hasKid(all, m.KID) {
			continue
		}
		if by := s.keys.usable(public, m.ALG.String()); len(by) > 0 {
			all = append(all, key{id: m.KID, by: by, key: public})
		}
	}
	if len(all) == len(s.keys.static) {
		return errors.New("the answer has no key that can be used")
	}
	s.keys.now.Store(&set{keys: all})
	return nil
}

func hasKid(keys []key, kid string) bool {
	for _, k := range keys {
		if kid != "" && k.id == kid {
			return true
		}
	}
	return false
}
