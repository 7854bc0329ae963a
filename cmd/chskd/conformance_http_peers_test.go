package main_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chskd/chskd/internal/daemontest"
	"github.com/chskd/chskd/internal/wirecases"
)

// TestHTTPPeers gives every case to other readers of HTTP: net/http, and nginx and haproxy as
// proxies before it. What we read they must read too, as the same requests with the same bodies, or
// refuse; a case that has them refuse says so. That they read more than we do is how it should be:
// it is listed with -v. Without nginx or haproxy their part is skipped, loudly.
func TestHTTPPeers(t *testing.T) {
	back := startRecorder(t)
	for _, p := range []struct {
		name  string
		start func(t *testing.T, upstream string) (socket string)
	}{
		{"net/http", func(_ *testing.T, upstream string) string { return upstream }},
		{"nginx", startNginx},
		{"haproxy", startHAProxy},
	} {
		t.Run(p.name, func(t *testing.T) {
			socket := p.start(t, back.socket)
			var more, fewer []string
			for _, c := range wirecases.HTTPCases() {
				ours := readAlike(&c)
				theirs := back.seen(t, socket, c.In+lastBehind, peerStalls)
				if !begins(theirs, ours) { // it was only slow, perhaps
					theirs = back.seen(t, socket, c.In+lastBehind, comesTrue)
				}
				same := 0
				for same < min(len(ours), len(theirs)) && ours[same] == theirs[same] {
					same++
				}
				differs := slices.Contains(c.Differs, p.name)
				switch {
				case same == len(ours):
					if len(theirs) > same && c.Want[len(c.Want)-1] != "101" {
						more = append(more, c.Name)
					}
					if differs {
						t.Logf("%s: %s reads it by now", c.Name, p.name)
					}
				case same < len(theirs):
					// They read another request here: the next one begins elsewhere for one of us.
					t.Errorf("%s: request %d\n ours   %.300q\n theirs %.300q", c.Name, same, ours, theirs)
				case differs:
					fewer = append(fewer, c.Name)
				default:
					t.Errorf("%s: request %d is refused\n ours   %.300q\n theirs %.300q", c.Name, same, ours,
						theirs)
				}
			}
			t.Logf("%d cases that are refused here are read by %s:\n\t%s", len(more), p.name,
				strings.Join(more, "\n\t"))
			t.Logf("%d cases that are read here are refused by it:\n\t%s", len(fewer),
				strings.Join(fewer, "\n\t"))
		})
	}
}

// peerStalls is how long a peer may say nothing before it is told that no more comes.
const peerStalls = 200 * time.Millisecond

// lastBehind is the request behind a case; the connection ends with its answer.
var lastBehind = strings.Replace(wirecases.Behind, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)

// begins reports whether all begins with the whole of first.
func begins(all, first []string) bool {
	return len(all) >= len(first) && slices.Equal(all[:len(first)], first)
}

// readAlike words what we read of a case, as the recorder does.
func readAlike(c *wirecases.HTTP) (words []string) {
	requests, _ := wirecases.ReadHTTP(c.In+lastBehind, nil)
	for _, r := range requests {
		words = append(words, alike(r.Method, r.Target, r.Host, []byte(r.Body)))
	}
	return words
}

// alike words a request so that what a proxy may change on its way is the same: the form of the
// target, the case of the host and the port that is the default.
func alike(method, target, host string, body []byte) string {
	if _, rest, ok := strings.Cut(target, "://"); ok && target[0] != '/' {
		target = rest[min(len(rest), len(host)):]
		if !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
	}
	host = strings.TrimSuffix(strings.ToLower(host), ":80")
	return fmt.Sprintf("%s %s %s %q", method, target, host, body)
}

// recorder is a server of net/http that remembers what it was asked.
type recorder struct {
	socket string

	mu       sync.Mutex
	requests []string
}

func startRecorder(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{socket: filepath.Join(daemontest.Folder(t), "up")}
	l, err := net.Listen("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler: r, MaxHeaderBytes: wirecases.HeadMax, DisableGeneralOptionsHandler: true,
	}
	go func() { _ = server.Serve(l) }()      // until it is closed
	t.Cleanup(func() { _ = server.Close() }) // nothing is left to lose
	return r
}

// ServeHTTP notes a request whose body is whole.
func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, wirecases.BodyMax))
	if err != nil {
		return
	}
	host := req.Host
	if h, ok := req.Header["X-No-Host"]; ok && h[0] == "yes" {
		host = ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, alike(req.Method, req.RequestURI, host, body))
}

// seen sends a stream to a socket, waits for the end of the answers, and gives what arrived here.
// When nothing comes back for so long, it half-closes: who waits for more is told that none comes.
// Not earlier, as some do not read on once they know.
func (r *recorder) seen(t *testing.T, socket, stream string, stall time.Duration) []string {
	t.Helper()
	r.mu.Lock()
	r.requests = nil
	r.mu.Unlock()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(daemontest.Patience)) // only fails on a closed conn
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(c, stream) // who refuses it may not read it all
	}()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, c) // a reset is an end as well
	}()
	select {
	case <-ended:
	case <-time.After(stall):
		_ = c.(*net.UnixConn).CloseWrite() // it may just have ended
		<-ended
	}
	_ = c.Close() // for one that does not read what is sent
	<-sent
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

const nginxConf = `
daemon off; master_process off; pid DIR/pid; error_log DIR/log crit;
events { worker_connections 64; }
http {
	access_log off; client_max_body_size 0;
	large_client_header_buffers 4 32k; client_header_buffer_size 32k;
	client_body_temp_path DIR/b; proxy_temp_path DIR/p; fastcgi_temp_path DIR/f;
	uwsgi_temp_path DIR/u; scgi_temp_path DIR/s;
	map $host $no_host { nobody yes; default no; }
	map $http_host $some_host { "" $host; default $http_host; }
	server {
		listen unix:DIR/in; server_name nobody;
		location / {
			proxy_pass http://unix:UPSTREAM:; proxy_http_version 1.1; proxy_ignore_client_abort on;
			proxy_set_header Host $some_host; proxy_set_header X-No-Host $no_host;
			proxy_buffering off;
		}
	}
}
`

func startNginx(t *testing.T, upstream string) (socket string) {
	return startProxy(t, "nginx", nginxConf, upstream, func(file string) []string {
		return []string{"-e", "stderr", "-c", file}
	})
}

const haproxyConf = `
global
	maxconn 64
defaults
	mode http
	timeout client 60s
	timeout server 60s
	timeout connect 60s
frontend in
	bind unix@DIR/in
	default_backend up
backend up
	server s unix@UPSTREAM
`

func startHAProxy(t *testing.T, upstream string) (socket string) {
	return startProxy(t, "haproxy", haproxyConf, upstream, func(file string) []string {
		return []string{"-db", "-f", file}
	})
}

// startProxy runs another program with a configuration, until the test ends.
func startProxy(
	t *testing.T, name, conf, upstream string, args func(file string) []string,
) (socket string) {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/" + name) // not in everybody's PATH
	}
	if err != nil {
		t.Skipf("\n\n*** %s is missing: what it makes of the cases is NOT compared. ***\n", name)
	}
	folder := daemontest.Folder(t)
	conf = strings.NewReplacer("DIR", folder, "UPSTREAM", upstream).Replace(conf)
	file := filepath.Join(folder, "conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.Command(program, args(file)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // it is killed in the end
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	socket = filepath.Join(folder, "in")
	daemontest.Eventually(t, name+" listens", func() bool {
		select {
		case <-ended:
			t.Fatalf("%s ended:\n%s", name, out.String())
		default:
		}
		c, err := net.Dial("unix", socket)
		if err == nil {
			_ = c.Close() // it was only to see
		}
		return err == nil
	})
	return socket
}
