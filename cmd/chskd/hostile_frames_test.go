package main_test

import (
	"fmt"
	"strings"
	"testing"
)

// upgraded opens n WebSockets that read nothing.
func (s *siege) upgraded(n int, query string) *mob {
	s.t.Helper()
	const ok = `chskd_handshakes_total{result="ok",transport="ws"}`
	before := s.grew(ok)
	m := s.dial(n)
	m.say(func(i int) string { return rawUpgrade(fmt.Sprintf("/chsk?client-id=evil%d%s", i, query)) })
	s.sees(before+n, ok)
	return m
}

const closesByUs = `chskd_websocket_closes_total{by="server",code="%d"}`

// TestHostileEndlessFragments: messages in ever more frames, with data and empty, with control frames
// between them and without. Each is closed at the limit of frames, or of bytes.
func TestHostileEndlessFragments(t *testing.T) {
	t.Parallel()
	const n, pieces = 20, 200
	s := besiege(t, plan{flags: []string{"--max-fragments", fmt.Sprint(pieces), "--max-message-bytes", "65536"}})
	for i, c := range []struct {
		name, first, more string
		code              int
	}{
		{"empty", wsFrame(0x01, ""), wsFrame(0x00, ""), 1008},
		{"a byte each", wsFrame(0x01, "["), wsFrame(0x00, "1"), 1008},
		{"pings between", wsFrame(0x01, "["), wsPing("") + wsFrame(0x00, "1"), 1008},
		{"only pings between", wsFrame(0x01, "["), wsPing("p"), 1008},
		{"only pongs between", wsFrame(0x02, "["), wsPong("p"), 1008},
		{"over the length", wsFrame(0x01, "["), wsFrame(0x00, strings.Repeat("1", 1000)), 1009},
	} {
		t.Log(c.name)
		s.counts = scrape(t, s.d)
		m := s.upgraded(n, fmt.Sprintf("%d", i))
		m.sayAll(c.first)
		m.pour(c.more, 1<<20)
		s.sees(n, fmt.Sprintf(closesByUs, c.code))
		s.sees(n, "chskd_frame_errors_total")
		m.ended()
		s.goesOn()
	}
	s.bounded(40 << 20)
	s.over()
}

// TestHostileControlFrameFlood: pings and pongs as fast as they go, read and unread. They cost no memory:
// who does not read what it is answered is not answered.
func TestHostileControlFrameFlood(t *testing.T) {
	t.Parallel()
	const n, each = 8, 4 << 20
	s := besiege(t, plan{})
	m := s.upgraded(n, "")
	m.pour(wsPing(strings.Repeat("p", 125)), each)
	s.goesOn()
	m.pour(wsPong(""), each/4)
	m.pour(wsText(`[[:chsk/ws-ping] "evil"]`), each)
	s.sees(1000, "chskd_pongs_dropped_total")
	s.sees(1000, "chskd_client_pings_total")
	s.goesOn()
	s.bounded(n<<20 + 40<<20)
	m.close()
	s.over()
}

// TestHostileCutInTheMiddle: connections that are reset, or ended, in the middle of a head, a body, a
// handshake, a frame, a message, a close handshake, while a poll or a callback waits.
func TestHostileCutInTheMiddle(t *testing.T) {
	t.Parallel()
	s := besiege(t, plan{})
	const post = "POST /chsk HTTP/1.1\r\nHost: x\r\n" + formType + "\r\n"
	upgrade := rawUpgrade("/chsk?client-id=cut")
	texts := []string{
		"", "G", "GET /chsk?client-id=cut HTTP/1.1\r\nHo", upgrade[:len(upgrade)-2], upgrade,
		post + "Content-Length: 100\r\n\r\nclient-id=cut", post + "Transfer-Encoding: chunked\r\n\r\n5\r\nab",
		rawGet("/chsk?client-id=cut&handshake%3F"), rawGet("/chsk?client-id=cut&udt=1"),
		rawPost("/chsk", ajaxForm("cut", `[[:x/y] :ajax-cb]`)),
		upgrade + wsFrame(0x81, strings.Repeat("x", 50000))[:20000], upgrade + "\x81", upgrade + "\x81\xFE\x00",
		upgrade + wsFrame(0x01, "[[:x/y"), upgrade + wsFrame(0x01, "[[:x/y") + wsPing("p")[:3],
		upgrade + wsText(`[[:x/y] "cb"]`), upgrade + wsClose(1000), upgrade + wsFrame(0x88, "\x03"),
		upgrade + strings.Repeat(wsText(`[[:x/y] nil]`), 1000),
		strings.Repeat(rawGet("/nothing"), 100) + upgrade[:30],
	}
	const rounds = 10
	for i := range rounds {
		m := s.dial(len(texts))
		m.say(func(i int) string { return texts[i] })
		if i%2 == 0 {
			s.sees((i+1)*len(texts), "chskd_connections_accepted_total")
		} // else some are gone before they are looked at
		if i%4 < 3 {
			m.reset()
		} else {
			m.close()
		}
	}
	s.sees(rounds*len(texts)*3/4, "chskd_connections_accepted_total")
	s.sees(rounds, `chskd_websocket_closes_total{by="nobody",code="1006"}`)
	s.goesOn()
	s.over()
}

// TestHostileCloseUnanswered: clients that are told to go, do not answer the close frame, and go on to
// send. Each is cut when the time for its answer is over.
func TestHostileCloseUnanswered(t *testing.T) {
	t.Parallel()
	const n = 50
	s := besiege(t, plan{})
	m := s.upgraded(n, "")
	s.sees(n, "chskd_session_starts_total{")
	for i := range n {
		apiCall(t, s.d, "/v1/close", fmt.Sprintf(`{"uid":"evil%d","code":4001}`, i))
	}
	s.sees(n, `chskd_websocket_closes_total{by="server",code="4xxx"}`)
	m.sayAll(strings.Repeat(wsText(`[[:x/y] "cb"]`), 100))
	m.sayAll(wsFrame(0x01, "no end"))
	m.ended()
	s.over()
}
