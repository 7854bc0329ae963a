package bench_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// sente is a small server that speaks enough of Sente's protocol for the load tool, with an API
// socket for pushes, and does one thing wrong if it is told to. Faults hit the first connection
// and, of numbered events, the third.
type sente struct {
	json  bool
	fault string
	url   string
	api   string

	mu    sync.Mutex
	peers []*peer
	held  []byte
	count int // broadcasts so far

	echo echoState
}

// peer is one connection of the server.
type peer struct {
	conn  net.Conn
	uid   string
	mu    sync.Mutex
	first bool
	count int         // pushes to it so far
	pongs chan string // what the client sends besides pings
}

// startSente serves until the test ends.
func startSente(t *testing.T, fault, packer string) *sente {
	t.Helper()
	s := &sente{fault: fault, json: packer == "json", api: filepath.Join(t.TempDir(), "api.sock")}
	client, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	backend, err := net.Listen("unix", s.api)
	if err != nil {
		t.Fatal(err)
	}
	s.url = "ws://" + client.Addr().String() + "/chsk"
	clients := &http.Server{Handler: http.HandlerFunc(s.serveClient)}
	backends := &http.Server{Handler: http.HandlerFunc(s.servePush)}
	go clients.Serve(client)
	go backends.Serve(&sniffed{Listener: backend, lines: s.serveLines})
	t.Cleanup(func() {
		clients.Close()
		backends.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, p := range s.peers {
			p.conn.Close()
		}
	})
	return s
}

func (s *sente) firstPeer() *peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peers[0]
}

func (s *sente) text(edn, json string) []byte {
	if s.json {
		return []byte(json)
	}
	return []byte(edn)
}

func (s *sente) serveClient(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("client-id") == "" {
		http.Error(w, "client-id is missing", http.StatusBadRequest)
		return
	}
	switch s.fault {
	case "refused":
		http.Error(w, "Bad CSRF token", http.StatusForbidden)
		return
	case "silent":
		<-r.Context().Done()
		return
	}
	conn, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return
	}
	p := &peer{conn: conn, uid: r.FormValue("client-id"), pongs: make(chan string, 100)}
	if uid := r.FormValue("uid"); uid != "" {
		p.uid = uid
	}
	s.mu.Lock()
	p.first = len(s.peers) == 0
	s.peers = append(s.peers, p)
	s.mu.Unlock()
	s.greet(p)
	s.listen(p)
}

// greet sends the handshake, or what the fault says.
func (s *sente) greet(p *peer) {
	handshake := s.text(`[[:chsk/handshake ["u" nil nil]] nil]`,
		`[["chsk/handshake",["u",null,null]],null]`)
	if !p.first {
		p.write(handshake)
		return
	}
	switch s.fault {
	case "no handshake":
	case "push first":
		p.write([]byte(`[[[:a/b 1]] nil]`))
	case "junk":
		p.write([]byte(`Unauthorized`))
	case "split":
		for _, b := range frameBytes(ws.OpText, true, handshake) {
			p.raw([]byte{b})
		}
	case "fragments":
		p.raw(frameBytes(ws.OpText, false, handshake[:5]))
		p.raw(frameBytes(ws.OpPing, true, []byte("beat")))
		p.raw(frameBytes(ws.OpContinuation, false, nil))
		p.raw(frameBytes(ws.OpContinuation, true, handshake[5:]))
	case "several":
		several := frameBytes(ws.OpText, true, handshake)
		for range 3 {
			several = append(several, frameBytes(ws.OpText, true, []byte(`[[[:a/b 1]] nil]`))...)
			several = append(several,
				frameBytes(ws.OpText, true, s.text(`[:chsk/ws-ping nil]`, `["chsk/ws-ping",null]`))...)
		}
		p.raw(several)
	default:
		p.write(handshake)
	}
	s.afterGreeting(p)
}

func (s *sente) afterGreeting(p *peer) {
	switch s.fault {
	case "masked":
		p.raw(ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(`[[] nil]`)))))
	case "closed":
		p.raw(ws.MustCompileFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(1001, "going away"))))
	case "cut":
		p.conn.Close()
	}
}

// listen answers pings and broadcasts on a client's wish, until the connection ends.
func (s *sente) listen(p *peer) {
	for {
		text, err := wsutil.ReadClientText(p.conn)
		if err != nil {
			return
		}
		ping := string(s.text(`[[:chsk/ws-ping] "`, `[["chsk/ws-ping"],"`))
		if cb, ok := strings.CutPrefix(string(text), ping); ok {
			s.pong(p, strings.TrimSuffix(cb, `"]`))
			continue
		}
		if event, ok := bytes.CutPrefix(text, []byte(`[[:bench/push`)); ok {
			s.broadcast(append([]byte(`[:bench/n`), bytes.TrimSuffix(event, []byte(" nil]"))...))
			continue
		}
		if s.asksEcho(p, text) {
			continue
		}
		p.pongs <- string(text)
	}
}

func (s *sente) pong(p *peer, cb string) {
	switch {
	case p.first && s.fault == "no pong":
		return
	case p.first && s.fault == "wrong pong":
		cb = "ffffff"
	}
	separator := s.text(" ", ",")
	p.write(fmt.Appendf(nil, `["pong"%s"%s"]`, separator, cb))
}

// servePush is POST /v1/push {"all": true, ...}, or many of servePushes.
func (s *sente) servePush(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") == "application/x-ndjson" {
		s.servePushes(w, r)
		return
	}
	var order struct {
		All   bool            `json:"all"`
		EDN   string          `json:"edn"`
		Event json.RawMessage `json:"event"`
	}
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil || !order.All ||
		r.URL.Path != "/v1/push" || r.Method != http.MethodPost {
		http.Error(w, `{"error": {"code": "bad"}}`, http.StatusBadRequest)
		return
	}
	switch s.fault {
	case "push 503":
		http.Error(w, `{"error": {"code": "full"}}`, http.StatusServiceUnavailable)
		return
	case "push junk":
		w.Write([]byte("Hello"))
		return
	}
	event := []byte(order.EDN)
	if s.json {
		event = order.Event
	}
	fmt.Fprintf(w, `{"status": "ok", "sessions": %d}`, s.broadcast(event))
}

// broadcast sends one event to all, after what the fault makes of it for the first connection.
func (s *sente) broadcast(event []byte) (sessions int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	for _, p := range s.peers {
		s.deliver(p, event, s.count)
	}
	return len(s.peers)
}

// deliver gives an event to one connection, after what the fault makes of it.
func (s *sente) deliver(p *peer, event []byte, count int) {
	for _, list := range s.deliveries(p, event, count) {
		text := s.text("[[", "[[")
		text = append(text, bytes.Join(list, s.text(" ", ","))...)
		p.write(append(text, s.text("] nil]", "],null]")...))
	}
}

// deliveries are the batches, each of events, that p gets now, at the count-th event.
func (s *sente) deliveries(p *peer, event []byte, count int) (batches [][][]byte) {
	third := count == 3
	if !p.first {
		return [][][]byte{{event}}
	}
	switch {
	case s.fault == "lose" && third:
		return nil
	case s.fault == "double" && third:
		return [][][]byte{{event}, {event}}
	case s.fault == "reorder" && third, s.fault == "together" && count%2 == 1:
		s.held = event
		return nil
	case s.fault == "reorder" && s.held != nil:
		batches = [][][]byte{{event}, {s.held}}
		s.held = nil
		return batches
	case s.fault == "together":
		return [][][]byte{{s.held, event}}
	case s.fault == "bad event" && third:
		return [][][]byte{{[]byte(`[7]`)}}
	case s.fault == "foreign":
		return [][][]byte{{[]byte(`[:chskd/gap {:missed 1}]`), []byte(`[:a/b]`), event}}
	}
	return [][][]byte{{event}}
}

func (p *peer) write(text []byte) { p.raw(frameBytes(ws.OpText, true, text)) }

// raw writes bytes; a client that has gone shows in the client's own result.
func (p *peer) raw(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = p.conn.Write(b)
}

func frameBytes(op ws.OpCode, fin bool, payload []byte) []byte {
	return ws.MustCompileFrame(ws.NewFrame(op, fin, payload))
}

// restart lets the faults hit those who come next, as if nobody had come before.
func (s *sente) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers, s.count = nil, 0
}
