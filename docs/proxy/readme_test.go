package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chskd/chskd/internal/daemontest"
)

var yamlBlock = regexp.MustCompile("(?s)\n```yaml\n# chskd.yaml, behind ([^\n]*)\n(.*?\n)```\n")

// readmeConfig is chskd's config that README.md shows for a proxy.
func readmeConfig(t *testing.T, k *kind) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	names := map[bool]string{true: "nginx or Caddy", false: "HAProxy"}
	for _, block := range yamlBlock.FindAllSubmatch(text, -1) {
		if string(block[1]) == names[k.fields] {
			return string(block[2])
		}
	}
	t.Fatalf("README.md has no chskd.yaml, behind %s", names[k.fields])
	return ""
}

// serve starts chskd as README.md says it for a proxy; flags are more than that.
func serve(t *testing.T, k *kind, flags ...string) *daemontest.Daemon {
	t.Helper()
	file := filepath.Join(daemontest.Folder(t), "chskd.yaml")
	if err := os.WriteFile(file, []byte(readmeConfig(t, k)), 0o600); err != nil {
		t.Fatal(err)
	}
	return daemontest.Serve(t, append([]string{"--config", file, "--drain-ms", "100"}, flags...)...)
}

// askDirectly asks chskd for a handshake without a proxy, as one that has these fields; lines ends
// like a line.
func askDirectly(ctx context.Context, k *kind, d *daemontest.Daemon, lines string) (
	status int, answer string, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", d.Addr)
	if err != nil {
		return 0, "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, "", err
	}
	proxied := ""
	if !k.fields {
		proxied = "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"
	}
	const get = "GET /chsk?client-id=nobody&handshake%3F=true HTTP/1.1\r\n"
	if _, err := fmt.Fprintf(conn, "%s%sHost: %s\r\n%s\r\n", proxied, get, host, lines); err != nil {
		return 0, "", err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}
