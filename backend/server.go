package backend

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options are a server's limits; 0 = the default of limits.go.
type Options struct {
	AllowUIDs []uint32 // users that may connect besides the daemon's own and root
	MaxLine   int      // bytes of one request object or line
	MaxConns  int
	PushBytes int           // of pushes that the engine has not answered, over all connections
	FirstByte time.Duration // how long a new connection may be silent
	Stall     time.Duration // how long a consumer may leave its socket full
	Metrics   http.Handler  // answers GET /metrics; nil = there is no such path
	Log       *slog.Logger
}

// Server speaks the API on a [Socket]. Any goroutine.
//
//	accept -> admit (who is it, is there room) -> sniff (which dialect) -> net/http -> a route
//	                                                                    -> lines (line.go)
type Server struct {
	engine Engine
	hub    *Hub
	o      Options
	http   *http.Server

	started    time.Time
	engineWait time.Duration // constant
	dedupe     *dedupe
	budget     *budget

	sniffed  chan net.Conn // HTTP connections, their first byte seen
	stop     chan struct{} // closed by Shutdown
	stopOnce sync.Once
	draining atomic.Bool
	streams  sync.WaitGroup

	naming sync.Mutex // held while a push that names itself is claimed and handed over

	mu    sync.Mutex
	conns map[*conn]struct{}
}

// NewServer makes a server over an engine and the hub that the engine feeds.
func NewServer(e Engine, h *Hub, o Options) *Server {
	if o.MaxLine == 0 {
		o.MaxLine = MaxLineDefault
	}
	if o.MaxConns == 0 {
		o.MaxConns = MaxConnsDefault
	}
	if o.PushBytes == 0 {
		o.PushBytes = PushBytesDefault
	}
	if o.FirstByte == 0 {
		o.FirstByte = sniffWait
	}
	if o.Stall == 0 {
		o.Stall = StallDefault
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h.engine = e
	s := &Server{
		engine: e, hub: h, o: o, started: time.Now(), engineWait: engineWait, dedupe: newDedupe(),
		budget:  newBudget(int64(o.PushBytes)),
		sniffed: make(chan net.Conn), stop: make(chan struct{}), conns: map[*conn]struct{}{},
	}
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.route),
		ReadHeaderTimeout: sniffWait,
		IdleTimeout:       idleWait,
		MaxHeaderBytes:    maxHead,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	pretouch()
	return s
}

// Serve accepts until Shutdown, and then gives nil; any other end is an error.
func (s *Server) Serve(l net.Listener) error {
	go s.hub.run(s.stop)
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(&handed{s, l.Addr()}) }()
	err := s.accept(l)
	if s.draining.Load() {
		err = nil
	} else {
		s.stopAccepting() // net/http's loop ends with ours
	}
	if e := <-served; !errors.Is(e, http.ErrServerClosed) && !errors.Is(e, net.ErrClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// accept lets peers in. Running out of descriptors refuses new ones and keeps the old.
func (s *Server) accept(l net.Listener) error {
	go func() {
		<-s.stop
		if err := l.Close(); err != nil {
			s.o.Log.Debug("closing the api socket", "error", err)
		}
	}()
	for {
		nc, err := l.Accept()
		if err == nil {
			s.admit(nc)
			continue
		}
		select {
		case <-s.stop:
			return nil
		default:
		}
		if ne, ok := err.(net.Error); !ok || !ne.Timeout() && !isShortage(err) {
			return err
		}
		s.o.Log.Warn("api socket: accept", "error", err)
		time.Sleep(50 * time.Millisecond)
	}
}

// Shutdown ends the server: no new connections; requests under way are answered; streams end once
// what is queued for them is written; whatever is left when ctx ends is cut.
func (s *Server) Shutdown(ctx context.Context) error {
	s.draining.Store(true)
	s.stopAccepting()
	s.hub.Close()
	s.stopReading()
	err := s.http.Shutdown(ctx)
	ended := make(chan struct{})
	go func() {
		s.streams.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		err = errors.Join(err, ctx.Err())
	}
	s.mu.Lock()
	left := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		left = append(left, c)
	}
	s.mu.Unlock()
	for _, c := range left {
		if e := c.Close(); e != nil && !errors.Is(e, net.ErrClosed) {
			err = errors.Join(err, e)
		}
	}
	<-ended
	return err
}

// stopReading ends the reading of lines; what was read is answered.
func (s *Server) stopReading() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if !c.lines {
			continue
		}
		if err := c.SetReadDeadline(time.Unix(1, 0)); err != nil {
			s.o.Log.Debug("api socket: draining", "error", err)
		}
	}
}

// claim takes a push that names itself; false = it was done before. naming is held from here until
// the engine has the push: what another connection is told of it is true, and the numbers of one
// producer reach the engine in their order.
func (s *Server) claim(tenant string, o once) bool {
	return s.dedupe.claim(time.Since(s.started), tenant, o)
}

func (s *Server) stopAccepting() { s.stopOnce.Do(func() { close(s.stop) }) }

// conn is one accepted connection. Its first byte was read to tell the dialect.
type conn struct {
	*net.UnixConn
	s     *Server
	first []byte

	lines  bool                               // it speaks lines; the server's mutex
	cancel atomic.Pointer[context.CancelFunc] // ends what serves them; nil before
}

// Read gives the first byte again.
func (c *conn) Read(b []byte) (int, error) {
	if len(c.first) > 0 && len(b) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.UnixConn.Read(b)
}

// Close also makes room for another connection.
func (c *conn) Close() error {
	if cancel := c.cancel.Load(); cancel != nil {
		(*cancel)()
	}
	c.s.mu.Lock()
	delete(c.s.conns, c)
	c.s.mu.Unlock()
	return c.UnixConn.Close()
}

// admit checks who connected and whether there is room, and starts the connection's goroutine.
func (s *Server) admit(nc net.Conn) {
	c := &conn{UnixConn: nc.(*net.UnixConn), s: s}
	uid, err := PeerUID(c.UnixConn)
	if err != nil || !s.allowed(uid) {
		s.o.Log.Warn("api socket: a user was refused", "uid", uid, "error", err)
		c.refuse("forbidden", "this user may not use the socket (--api-allow-uids)")
		return
	}
	s.mu.Lock()
	full := len(s.conns) >= s.o.MaxConns
	if !full {
		s.conns[c] = struct{}{}
	}
	s.mu.Unlock()
	if full {
		c.refuse("busy", "too many connections")
		return
	}
	go s.sniff(c)
}

func (s *Server) allowed(uid uint32) bool {
	return uid == 0 || int(uid) == os.Geteuid() || slices.Contains(s.o.AllowUIDs, uid)
}

// sniff tells the dialect by the first byte: A-Z begins an HTTP method.
func (s *Server) sniff(c *conn) {
	var b [1]byte
	if err := c.SetReadDeadline(time.Now().Add(s.o.FirstByte)); err != nil {
		c.drop()
		return
	}
	n, err := c.UnixConn.Read(b[:])
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.refuse("timeout", "nothing was said for "+s.o.FirstByte.String())
		return
	case n == 0 || c.SetReadDeadline(time.Time{}) != nil:
		c.drop()
		return
	case b[0] == '{':
		c.first = b[:]
		s.serveLines(c)
		return
	case b[0] < 'A' || b[0] > 'Z':
		c.refuse("bad_dialect", "this socket speaks HTTP/1.1, whose first byte is one of A-Z, "+
			"or JSON objects, one a line, whose first byte is {")
		return
	}
	c.first = b[:]
	select {
	case s.sniffed <- c:
	case <-s.stop:
		c.drop()
	}
}

// refuse says why, in one line, and closes.
func (c *conn) refuse(code, message string) {
	line := appendText(append([]byte(nil), `{"type":"error","code":`...), code)
	line = appendText(append(line, `,"message":`...), message)
	line = append(line, "}\n"...)
	if c.SetWriteDeadline(time.Now().Add(cutWait)) == nil {
		if _, err := c.Write(line); err != nil {
			c.s.o.Log.Debug("api socket: refusing", "error", err)
		}
	}
	c.drop()
}

func (c *conn) drop() {
	if err := c.Close(); err != nil {
		c.s.o.Log.Debug("api socket: closing", "error", err)
	}
}

// handed is the listener of net/http: it gets the connections that sniff found to be HTTP.
type handed struct {
	s    *Server
	addr net.Addr
}

// Accept waits for a connection that speaks HTTP.
func (h *handed) Accept() (net.Conn, error) {
	select {
	case c := <-h.s.sniffed:
		return c, nil
	case <-h.s.stop:
		return nil, net.ErrClosed
	}
}

// Close has nothing to do: Serve and Shutdown close the real listener.
func (h *handed) Close() error { return nil }

// Addr is the socket's.
func (h *handed) Addr() net.Addr { return h.addr }
