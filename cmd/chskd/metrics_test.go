package main_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// series is a scrape: name with labels, as it is written, to value.
type series map[string]float64

func scrape(t *testing.T, d *daemon) series {
	t.Helper()
	return readSeries(t, apiCall(t, d, "/metrics", ""))
}

func readSeries(t *testing.T, text string) series {
	t.Helper()
	all := series{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		v, err := strconv.ParseFloat(strings.TrimSpace(line[at+1:]), 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all[line[:at]] = v
	}
	return all
}

// seriesAre waits until a scrape has these values, each line "name{labels} value".
func seriesAre(t *testing.T, d *daemon, lines string) {
	t.Helper()
	want := readSeries(t, strings.ReplaceAll(strings.TrimSpace(lines), "\t", "")+"\n")
	waitFor(t, func() error {
		got, wrong := scrape(t, d), []string(nil)
		for _, name := range slices.Sorted(maps.Keys(want)) {
			v, ok := got[name]
			if !ok {
				t.Fatalf("there is no %s", name)
			}
			if v != want[name] {
				wrong = append(wrong, fmt.Sprintf("%s is %v, want %v", name, v, want[name]))
			}
		}
		if wrong != nil {
			return fmt.Errorf("%s", strings.Join(wrong, "\n"))
		}
		return nil
	})
}

// TestMetrics: a session of some clients and a backend, and what is counted of it.
func TestMetrics(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--loops", "2", "--send-buf-ms-ws", "0", "--send-buf-ms-ajax", "0",
		"--max-conns", "500", "--ms-allow-reconnect-before-close-ws", neverMs,
		"--ms-allow-reconnect-before-close-ajax", neverMs, "--ws-kalive-ms", neverMs)
	seriesAre(t, d, `
		chskd_ready 1
		chskd_loops 2
		chskd_loops_answered 1
		chskd_connections 0
		chskd_connections_limit 500
		chskd_backend_consumers 0
		chskd_users 0
		chskd_cursor_lag_sampled 0
	`)
	s := openStream(t, d, false)
	a := openChannel(t, d, "/chsk?client-id=a", `"a"`)
	a.alive()
	j, jIn := wsDial(t, d, "/chsk/json?client-id=j")
	defer j.Close()
	if _, err := wsRead(jIn); err != nil {
		t.Fatal(err)
	}
	poll := dialRaw(t, d)
	poll.send(rawGet("/chsk?client-id=p&handshake%3F"))
	poll.want(200, helloEDN(`"p"`))
	poll.send(rawGet("/chsk?client-id=p"))
	for _, request := range []string{
		rawUpgrade("/chsk"), rawUpgrade("/chsk/xml?client-id=x"),
		rawGet("/chsk?client-id=x", "Upgrade: websocket", "Connection: Upgrade",
			"Sec-WebSocket-Key: "+wsKey, "Sec-WebSocket-Version: 8"),
		rawGet("/chsk"), rawGet("/chsk/xml?client-id=x"), "GET /\r\n\r\n",
	} {
		if got := ask(t, d, request); got.status < 400 {
			t.Errorf("%.40q: %d", request, got.status)
		}
	}
	seriesAre(t, d, `
		chskd_handshakes_total{result="ok",transport="ws"} 2
		chskd_handshakes_total{result="ok",transport="ajax"} 1
		chskd_handshakes_total{result="identity",transport="ws"} 1
		chskd_handshakes_total{result="identity",transport="ajax"} 1
		chskd_handshakes_total{result="packer",transport="ws"} 1
		chskd_handshakes_total{result="packer",transport="ajax"} 1
		chskd_handshakes_total{result="malformed",transport="ws"} 1
		chskd_channels{packer="edn",transport="ws"} 1
		chskd_channels{packer="json",transport="ws"} 1
		chskd_channels{packer="edn",transport="ajax"} 1
		chskd_channels{packer="json",transport="ajax"} 0
		chskd_connections_accepted_total 9
		chskd_connections 3
		chskd_connections_served 3
		chskd_http_malformed_total 2
		chskd_http_denied_total 2
		chskd_http_requests_total 9
		chskd_polls_total 2
		chskd_client_pings_total 1
		chskd_users 3
		chskd_users_by_transport{transport="ws"} 2
		chskd_users_by_transport{transport="ajax"} 1
		chskd_sessions 3
		chskd_session_starts_total{session="new"} 3
		chskd_session_starts_total{session="in_grace"} 0
		chskd_cursor_lag_sampled 3
		chskd_backend_consumers 1
	`)
	metricsOfEvents(t, d, s, a, poll)
	metricsOfEnds(t, d, a, func() { _ = j.Close() })

	problems, err := promlint.New(strings.NewReader(apiCall(t, d, "/metrics", "") + "\n")).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v, %v", problems, err)
	}
}

// metricsOfEvents has clients and backend tell each other something.
func metricsOfEvents(t *testing.T, d *daemon, s *rawStream, a *chskConn, poll *rawConn) {
	t.Helper()
	before := scrape(t, d)
	received := 0
	say := func(message string) {
		received += len(message)
		a.say(message)
	}
	say(`[[:x/y] "cb"]`)
	l := s.want("event a a ws [:x/y]")
	reply(t, d, l, "7")
	a.want(`text [7 "cb"]`)
	if status, _ := apiStatus(t, d, "/v1/reply", fmt.Sprintf(`{"reply_to":%q,"edn":"7"}`, l.ReplyTo)); status != 400 {
		t.Errorf("a second reply: %d", status)
	}
	say("[(")       // nobody can read it
	say("[17 nil]") // no event
	if got := s.next(); got.EDN == "" {
		t.Errorf("the backend was told %+v", got)
	}
	send := `[[:x/z] nil]`
	received += len(send)
	if got := ask(t, d, ajaxSend("p", send)); got.body != ajaxDummy {
		t.Errorf("a send: %q", got.body)
	}
	s.want("event p p ajax [:x/z]")
	pushEDN(t, d, `"uid":"a"`, "[:p/one]")
	pushEDN(t, d, `"all":true`, "[:p/all]")
	a.want("text [[[:p/one]] nil]", "text [[[:p/all]] nil]")
	poll.want(200, "[[[:p/all]] nil]")
	membership(t, d, "join", `"uid":"a"`, "room", true)
	seriesAre(t, d, fmt.Sprintf(`
		chskd_received_bytes_total %v
		chskd_client_events_total 3
		chskd_client_events_bad_total 1
		chskd_undecodable_messages_total 1
		chskd_client_events_dropped_total{reason="full"} 0
		chskd_client_events_dropped_total{reason="unheard"} 0
		chskd_posts_total 1
		chskd_replies_total 1
		chskd_replies_late_total 1
		chskd_reply_seconds_count 1
		chskd_reply_seconds_bucket{le="+Inf"} 1
		chskd_backend_events_total 3
		chskd_backend_lines_total 3
		chskd_pushes_total 3
		chskd_sent_events_total 4
		chskd_batch_events_count 4
		chskd_batch_events_bucket{le="1"} 4
		chskd_delivery_delay_seconds_count 4
		chskd_topics 1
		chskd_topic_members 1
		chskd_topic_requests_total{result="joined"} 1
		chskd_channels{packer="edn",transport="ajax"} 0
		chskd_cursor_lag_sampled 2
		chskd_cursor_lag_events{rank="max"} 0
		chskd_gaps_total 0
		chskd_stalls_total 0
		chskd_panics_total 0
	`, before["chskd_received_bytes_total"]+float64(received)))
	after := scrape(t, d)
	for _, name := range []string{
		"chskd_sent_bytes_total", "chskd_loop_turn_seconds_count", "chskd_loop_turn_seconds_sum",
		"chskd_loop_messages_total",
	} {
		if after[name] <= before[name] {
			t.Errorf("%s went from %v to %v", name, before[name], after[name])
		}
	}
	if open, most := after["process_open_fds"], after["process_max_fds"]; open < 3 || most < open ||
		after["go_goroutines"] == 0 {
		t.Errorf("%v open files of %v, %v goroutines", open, most, after["go_goroutines"])
	}
}

// metricsOfEnds ends connections in several ways.
func metricsOfEnds(t *testing.T, d *daemon, a *chskConn, cut func()) {
	t.Helper()
	wsSend(a.tcp, wsClose(1001), nil)
	a.want("close 1001")
	cut()
	seriesAre(t, d, `
		chskd_websocket_closes_total{by="client",code="1001"} 1
		chskd_websocket_closes_total{by="nobody",code="1006"} 1
		chskd_channels{packer="edn",transport="ws"} 0
		chskd_channels{packer="json",transport="ws"} 0
		chskd_connections 1
	`)
	scrape(t, d) // a second question: behind it every home has heard of the ends
	back := openChannel(t, d, "/chsk?client-id=a", `"a"`)
	back.alive()
	tab := openChannel(t, d, "/chsk?client-id=a", `"a"`)
	tab.alive()
	apiCall(t, d, "/v1/close", `{"uid":"a","code":4001}`)
	tab.want("close 4001")
	back.want("close 4001")
	bad := openChannel(t, d, "/chsk?client-id=b", `"b"`)
	wsSend(bad.tcp, wsFrame(0x81|0x40, "x"), nil) // RFC 6455 §5.2: a reserved bit
	bad.want("close 1002")
	seriesAre(t, d, `
		chskd_session_starts_total{session="new"} 4
		chskd_session_starts_total{session="in_grace"} 1
		chskd_session_starts_total{session="early"} 1
		chskd_session_starts_total{session="kept"} 0
		chskd_websocket_closes_total{by="client",code="1001"} 1
		chskd_websocket_closes_total{by="nobody",code="1006"} 1
		chskd_websocket_closes_total{by="server",code="4xxx"} 2
		chskd_websocket_closes_total{by="server",code="1002"} 1
		chskd_frame_errors_total 1
	`)
}

// TestMetricsKept: who comes back after the grace time, but before it is forgotten.
func TestMetricsKept(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--ms-allow-reconnect-before-close-ws", "50", "--session-keep-ms", neverMs)
	a := openChannel(t, d, "/chsk?client-id=a", `"a"`)
	a.alive()
	_ = a.tcp.Close()
	seriesAre(t, d, "chskd_sessions_kept 1\nchskd_users 0\nchskd_sessions 1")
	openChannel(t, d, "/chsk?client-id=a", `"a"`).alive()
	seriesAre(t, d, `
		chskd_session_starts_total{session="kept"} 1
		chskd_session_starts_total{session="new"} 1
		chskd_sessions_kept 0
		chskd_users 1
	`)
}

// TestMetricsNobody: without a backend events are held, and callbacks told so.
func TestMetricsNobody(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--backend-queue-events", "2")
	a := openChannel(t, d, "/chsk?client-id=a", `"a"`)
	for range 3 {
		a.say("[[:x/y] nil]")
	}
	a.say(`[[:x/y] "cb"]`)
	a.want(`text [:chsk/error "cb"]`)
	seriesAre(t, d, `
		chskd_backend_consumers 0
		chskd_backend_held_events 2
		chskd_client_events_dropped_total{reason="full"} 1
		chskd_client_events_dropped_total{reason="unheard"} 1
		chskd_client_events_untaken_total 2
		chskd_reply_seconds_count 0
	`)
}

// TestMetricsListen: an address of its own serves metrics and nothing else, and the API's checks
// answer beside them.
func TestMetricsListen(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "--metrics-listen", "127.0.0.1:0")
	m := regexp.MustCompile(`(?m)^metrics on (http://\S+)/metrics$`).FindStringSubmatch(d.Stderr())
	if m == nil {
		t.Fatalf("it does not say where\n%s", d.Stderr())
	}
	get := func(path string) (int, string) {
		resp, err := http.Get(m[1] + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	status, text := get("/metrics")
	if all := readSeries(t, text); status != 200 || all["chskd_ready"] != 1 {
		t.Errorf("%d, ready %v", status, all["chskd_ready"])
	}
	for _, path := range []string{"/", "/v1/stats", "/v1/connected", "/healthz", "/debug/pprof/"} {
		if status, _ := get(path); status != 404 {
			t.Errorf("%s is %d", path, status)
		}
	}
	if resp, err := http.Post(m[1]+"/metrics", "text/plain", nil); err != nil || resp.StatusCode != 405 {
		t.Errorf("posted: %v, %v", resp, err)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := apiCall(t, d, path, ""); got != `{"status":"ok"}` {
			t.Errorf("%s: %s", path, got)
		}
	}
	t.Run("full", func(t *testing.T) {
		const places, few = 16, 8 // few: the client's, the API's of this test
		before := scrape(t, d)["process_open_fds"]
		for range 40 { // silent ones, more than there are places
			c := dialRaw(t, &daemon{Addr: strings.TrimPrefix(m[1], "http://")})
			c.send("GET /metrics HTTP/1.1\r\n")
		}
		openChannel(t, d, "/chsk?client-id=a", `"a"`).alive()
		// More would be seen soon, and for 5 s.
		for began := time.Now(); time.Since(began) < time.Second; time.Sleep(20 * time.Millisecond) {
			if open := scrape(t, d)["process_open_fds"]; open > before+places+few {
				t.Fatalf("%v files are open; before it were %v", open, before)
			}
		}
	})
}

// TestMetricsListenRefused: an address that makes no sense, or is taken.
func TestMetricsListenRefused(t *testing.T) {
	t.Parallel()
	taken := startDaemon(t)
	for addr, want := range map[string]string{
		"9464":     `--metrics-listen "9464": write host:port`,
		taken.Addr: "--metrics-listen: listen tcp",
	} {
		out, code := failedStart(t, []string{"--metrics-listen", addr})
		if code == 0 || !strings.Contains(out, want) {
			t.Errorf("%s: %d, %s", addr, code, out)
		}
	}
}
