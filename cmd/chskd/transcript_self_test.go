package main_test

import (
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
)

// actOut is the recorded server: it does the server's steps of one recording, in order, on
// whatever connects. It lets the player be tested without chskd.
func actOut(t testing.TB, listener net.Listener, steps []step) {
	conns := map[int]*net.TCPConn{}
	defer func() {
		for _, c := range conns {
			_ = c.Close() // at the end of the recording
		}
	}()
	for i := range steps {
		s := &steps[i]
		c := conns[s.Conn]
		var err error
		switch {
		case s.Kind == "tcp-open":
			var accepted net.Conn
			if accepted, err = listener.Accept(); err == nil {
				conns[s.Conn] = accepted.(*net.TCPConn)
			}
		case s.fromClient() && s.Kind == "tcp-fin":
			_, err = io.Copy(io.Discard, c)
		case s.fromClient():
			_, err = io.ReadFull(c, make([]byte, len(s.bytes(t))))
		case s.Kind == "tcp-fin":
			err = c.CloseWrite()
		default:
			_, err = c.Write(serverBytes(t, s))
		}
		if err != nil {
			t.Errorf("the recorded server at step %d: %v", i, err)
			return
		}
	}
}

// serverBytes gives what the recorded server put on the wire.
func serverBytes(t testing.TB, s *step) []byte {
	payload := s.payload(t)
	if s.Frame == nil {
		return payload
	}
	header, err := hex.DecodeString(s.Frame.HeaderHex)
	if err != nil {
		t.Fatal(err)
	}
	if s.Code != 0 {
		payload = append([]byte{byte(s.Code >> 8), byte(s.Code)}, payload...)
	}
	return append(header, payload...)
}

// TestPlayer plays recordings against their own server: as recorded there is no difference, and
// every change of what the server does is found.
func TestPlayer(t *testing.T) {
	cases := []struct {
		name, recording string
		change          func(steps []step) []step
		want            string // part of the only difference, "" for none
	}{
		{"ws as recorded", "edn-ws-event-cb", nil, ""},
		{"ajax as recorded", "edn-ajax-event-cb", nil, ""},
		{"two sockets as recorded", "edn-raw-ws-same-client-id-twice", nil, ""},
		{"another value", "edn-ws-event-cb", editLast("ws-text", ":three", ":other"), ":other"},
		{"another close code", "edn-ws-event-cb", func(steps []step) []step {
			last(steps, "ws-close").Code = 1011
			return steps
		}, "close 1011"},
		{"another status", "edn-ajax-event-cb", editLast("http", "200 OK", "503 OK"), "http 503"},
		{"another body", "edn-ajax-event-cb", editLast("http", "{:a [1", "{:a [2"), "{:a [2"},
		{"a second push", "edn-raw-ws-same-client-id-twice", func(steps []step) []step {
			for i := range steps {
				if strings.Contains(steps[i].Text, ":test/pushed") {
					return append(steps[:i+1], steps[i:]...)
				}
			}
			return steps
		}, ":test/pushed"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			diffs := playChanged(t, c.recording, c.change)
			switch {
			case c.want == "" && len(diffs) > 0:
				t.Errorf("differs: %q", diffs)
			case c.want != "" && (len(diffs) != 1 || !strings.Contains(diffs[0], c.want)):
				t.Errorf("want one difference with %q, got %q", c.want, diffs)
			}
		})
	}
}

// playChanged plays the recording against its server, which does as change says.
func playChanged(t *testing.T, name string, change func([]step) []step) []string {
	r := loadRecording(t, "testdata/transcripts/"+name+".json")
	script := r.script(t, nil)
	steps := append([]step{}, r.Steps...)
	if change != nil {
		steps = change(steps)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		actOut(t, listener, steps)
	}()
	diffs := newPlayer(t, listener.Addr().String(), r.Packer, script).play()
	<-ended
	return diffs
}

func editLast(kind, old, changed string) func([]step) []step {
	return func(steps []step) []step {
		s := last(steps, kind)
		s.Text = strings.Replace(s.Text, old, changed, 1)
		return steps
	}
}

// last finds the server's last step of a kind.
func last(steps []step, kind string) *step {
	for i := len(steps) - 1; ; i-- {
		if steps[i].Kind == kind && !steps[i].fromClient() {
			return &steps[i]
		}
	}
}

// TestCanonEDN checks the judge: texts of one value agree, texts of two do not.
func TestCanonEDN(t *testing.T) {
	same := [][2]string{
		{`{:a 1, :b 2}`, `{:b 2 :a 1}`},
		{`#:foo{:a 1, :_/b 2, :c/d 3}`, `{:foo/a 1 :b 2 :c/d 3}`},
		{`#{1 2}`, `#{2,1}`},
		{`"\u00e9\n"`, "\"é\n\""},
		{`\newline`, `\u000a`},
		{`\é`, `\u00e9`},
		{`1.0E100`, `1e+100`},
		{`#inst "2024-01-02T03:04:05.678-00:00"`, `#inst "2024-01-02T04:04:05.678+01:00"`},
		{`[1 #_ 2 3] rest`, `[1 3]`},
	}
	for _, c := range same {
		if a, b := mustCanon(t, c[0]), mustCanon(t, c[1]); a != b {
			t.Errorf("%s and %s are one value, got %s and %s", c[0], c[1], a, b)
		}
	}
	different := [][2]string{
		{`[1]`, `(1)`}, {`2`, `2.0`}, {`:a`, `a`}, {`"a"`, `\a`}, {`nil`, `[]`}, {`5`, `5N`},
		{`"a"`, `"b"`}, {`1.5`, `1.5M`},
	}
	for _, c := range different {
		if a, b := mustCanon(t, c[0]), mustCanon(t, c[1]); a == b {
			t.Errorf("%s and %s are two values, got %s for both", c[0], c[1], a)
		}
	}
	for _, bad := range []string{``, `[1`, `{:a}`, `)`, `"x`, `[1 #inst "no"]`} {
		if got, err := canonEDN(bad); err == nil {
			t.Errorf("%q is no value, got %s", bad, got)
		}
	}
}

func mustCanon(t *testing.T, text string) string {
	value, err := canonEDN(text)
	if err != nil {
		t.Error(err)
	}
	return value
}
