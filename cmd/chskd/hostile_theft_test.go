package main_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestHostileClientIDs: others who come with the client-ids of the healthy clients, over and over,
// over both transports, and replay their sends: another user of the tenant, and the user of the same
// name of another one. They get nothing that was meant for those, who do not notice: what comes to
// them is looked at in each of their rounds. Each way to be somebody is in identity_others_test.go.
func TestHostileClientIDs(t *testing.T) {
	t.Parallel()
	const rounds, n = 10, 5
	s := besiege(t, plan{
		fields: []string{bearer(tokenOf("acme", "healthy"))}, flags: jwtFlags(),
	})
	var heard bytes.Buffer
	for i := range rounds {
		for _, thief := range []string{bearer(tokenOf("acme", "mallory")), bearer(tokenOf("other", "healthy"))} {
			var mobs []*mob
			for _, id := range []string{"healthy-ws", "healthy-ajax"} {
				sockets, polls := s.dial(n), s.dial(n)
				sockets.sayAll(rawUpgrade("/chsk?client-id="+id, thief) + wsText(`[[:chsk/ws-ping] "p"]`))
				polls.say(func(j int) string {
					target := fmt.Sprintf("/chsk?client-id=%s&udt=%d", id, 1<<40+i*n+j)
					return rawGet(target+"&handshake%3F", thief) + rawGet(target, thief)
				})
				sends := s.dial(1)
				last := s.healthy[1].rounds.Load() + 1
				for udt := last - 2; udt < last+3; udt++ {
					// As the healthy client has sent it, or is about to; the reply of the backend to
					// this one is its own.
					sends.sayAll(rawPost(fmt.Sprintf("/chsk?udt=%d", udt), ajaxForm(id, "[[:x/y] :ajax-cb]"), thief))
				}
				mobs = append(mobs, sockets, polls, sends)
			}
			s.sees(2*(i+1)*n, `chskd_handshakes_total{result="ok",transport="ws"}`)
			s.goesOn()
			for _, m := range mobs {
				for _, c := range m.conns {
					_ = c.(*net.TCPConn).CloseWrite() // it may be closed already
					_ = c.SetReadDeadline(time.Now().Add(hostileWait))
					_, _ = io.Copy(&heard, c)
				}
				m.close()
			}
		}
	}
	text := heard.String()
	if strings.Contains(text, "healthy/") || !strings.Contains(text, "mallory") {
		t.Errorf("others heard %.2000q", text)
	}
	s.over()
}
