package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// server is a chskd.
type server struct {
	*process
	api  string // its API socket
	addr string
}

// startServer starts the chskd with a number. The first one may choose the port.
func startServer(o *options, p *plan, dir string, number int, listen string) (*server, error) {
	s := &server{api: filepath.Join(dir, fmt.Sprintf("%d.sock", number))}
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	cmd := exec.Command(o.chskd, "serve", "--listen", listen, "--reuse-port",
		"--loops", strconv.Itoa(p.loops), "--max-conns", strconv.Itoa(p.room),
		"--api-socket", s.api, "--handshake-data", fmt.Sprintf("%s%d}", serverPrefix, number),
		"--ws-kalive-ms", ms(p.kalive), "--ws-ping-timeout-ms", ms(p.pingTimeout),
		"--drain-ms", "2000")
	cmd.Env = withoutSettings(os.Environ())
	if p.servers > 1 && os.Getenv("GOMAXPROCS") == "" {
		// More would only look for work that other processes have; docs/million.md has figures.
		cmd.Env = append(cmd.Env, fmt.Sprintf("GOMAXPROCS=%d", p.loops))
	}
	var err error
	s.process, err = startProcess(fmt.Sprintf("chskd-%d", number), dir, cmd)
	return s, err
}

// withoutSettings leaves out the variables that chskd would take options from.
func withoutSettings(env []string) (list []string) {
	for _, v := range env {
		if !strings.HasPrefix(v, "CHSKD_") {
			list = append(list, v)
		}
	}
	return list
}

// listening says where the server listens, once it does.
func (s *server) listening() (addr string, ok bool) {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return "", false
	}
	_, text, ok = bytes.Cut(text, []byte(" listening on http://"))
	if !ok {
		return "", false
	}
	at, _, ok := bytes.Cut(text, []byte("/"))
	return string(at), ok
}

// dialAPI opens a connection in the line dialect.
func (s *server) dialAPI() (*net.UnixConn, error) {
	c, err := net.DialTimeout("unix", s.api, apiPatience)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return c.(*net.UnixConn), nil
}
