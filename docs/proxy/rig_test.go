package proxy_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chskd/chskd/internal/daemontest"
)

// host is the public name in the configs, and in the certificate that the tests make.
const host = "chat.example.com"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "64"); err != nil { // they mostly wait
		panic(err)
	}
	os.Exit(daemontest.Main(m.Run))
}

// kind is one of the proxies whose config stands in this folder.
type kind struct {
	name, config string
	program      string
	// replace gives pairs of what stands in the config, as its head says, and what a test has.
	replace func(f *front) []string
	// args are the command line.
	args func(f *front) []string
	// reload makes it read its config again.
	reload func(t *testing.T, f *front)
	// stop is the signal that ends it with all its processes.
	stop syscall.Signal
	// fields says that the real address goes by X-Forwarded-For, else by PROXY protocol.
	fields bool
	// waits says that a request waits for a chskd that restarts.
	waits bool
	// keeps says that a WebSocket outlives a reload.
	keeps bool
}

var kinds = []*kind{
	{
		name: "nginx", config: "nginx.conf", program: "nginx", stop: syscall.SIGTERM,
		replace: func(f *front) []string {
			return []string{
				"listen 443 ", "listen " + f.Addr + " ",
				"/etc/ssl/chat.example.com.pem", f.file("cert.pem"),
				"/etc/ssl/chat.example.com.key", f.file("key.pem"),
				"/run/nginx.pid", f.file("pid"), "/var/log/nginx", f.folder,
			}
		},
		args: func(f *front) []string {
			return []string{"-e", f.file("start.log"), "-g", "daemon off;", "-c", f.config}
		},
		reload: func(_ *testing.T, f *front) { f.Signal(syscall.SIGHUP) },
		fields: true, keeps: true,
	},
	{
		name: "haproxy", config: "haproxy.cfg", program: "haproxy", stop: syscall.SIGTERM,
		replace: func(f *front) []string {
			return []string{
				"bind :443 ", "bind " + f.Addr + " ",
				"/etc/haproxy/chat.example.com.pem", f.file("both.pem"),
			}
		},
		args:   func(f *front) []string { return []string{"-W", "-f", f.config} },
		reload: func(_ *testing.T, f *front) { f.Signal(syscall.SIGUSR2) },
		waits:  true, keeps: true,
	},
	{
		name: "Caddy", config: "Caddyfile", program: "caddy", stop: syscall.SIGKILL,
		replace: func(f *front) []string {
			_, port, _ := net.SplitHostPort(f.Addr)
			return []string{
				"https_port 443", "https_port " + port + "\n\tdefault_bind 127.0.0.1",
				"http_port 80", "http_port " + freePort(f.t),
				"/etc/ssl/chat.example.com.pem", f.file("cert.pem"),
				"/etc/ssl/chat.example.com.key", f.file("key.pem"),
				"/run/caddy/admin.sock", f.file("admin.sock"),
			}
		},
		args: func(f *front) []string {
			return []string{"run", "--adapter", "caddyfile", "--config", f.config}
		},
		reload: func(t *testing.T, f *front) {
			out, err := f.command("caddy", "reload", "--adapter", "caddyfile", "--config", f.config,
				"--address", "unix/"+f.file("admin.sock")).CombinedOutput()
			if err != nil {
				t.Fatalf("caddy reload: %v\n%s", err, out)
			}
		},
		fields: true, waits: true,
	},
}

// eachProxy runs a test for every proxy that is installed, all at the same time.
func eachProxy(t *testing.T, test func(t *testing.T, k *kind)) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			k.need(t)
			test(t, k)
		})
	}
}

// need skips the test, loudly, where the proxy cannot run: it installs nothing
// (`make proxy-deps` does).
func (k *kind) need(t *testing.T) {
	t.Helper()
	lack := ""
	if _, err := exec.LookPath(k.program); err != nil {
		lack = k.program + " installed; `make proxy-deps` does that"
	} else if os.Getuid() != 0 {
		lack = "to be root, as the configs name accounts"
	}
	switch {
	case lack == "":
	case os.Getenv("CHSKD_REQUIRE_PROXIES") == "1":
		t.Fatalf("%s needs %s, and CHSKD_REQUIRE_PROXIES=1", t.Name(), lack)
	default:
		t.Skipf("\n**** SKIPPED: %s needs %s ****", t.Name(), lack)
	}
}

// front is a proxy that runs with the config of this folder.
type front struct {
	*daemontest.Process
	Addr string // of TLS

	t      *testing.T
	kind   *kind
	folder string
	config string // its own copy
}

// startFront starts a proxy before one or two chskd, and returns when it takes connections.
func startFront(t *testing.T, k *kind, behind ...*daemontest.Daemon) *front {
	t.Helper()
	for range 5 { // another process may take the port meanwhile
		f := &front{t: t, kind: k, folder: daemontest.Folder(t)}
		f.Addr, f.config = "127.0.0.1:"+freePort(t), f.file(k.config)
		f.writeCertificate()
		f.writeConfig(behind)
		f.Process = daemontest.Start(t, f.command(k.program, k.args(f)...))
		t.Cleanup(func() { f.End(t, k.stop) })
		if f.up() {
			return f
		}
	}
	t.Fatalf("%s does not start", k.name)
	return nil
}

// file is the path of a file of its own.
func (f *front) file(name string) string { return filepath.Join(f.folder, name) }

// command is a command that writes nothing outside of the folder.
func (f *front) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(),
		"HOME="+f.folder, "XDG_DATA_HOME="+f.folder, "XDG_CONFIG_HOME="+f.folder)
	return cmd
}

// up waits until TLS is spoken at its address; false is a proxy that has ended.
func (f *front) up() (up bool) {
	daemontest.Eventually(f.t, f.kind.name+" takes connections", func() bool {
		select {
		case <-f.Ended():
			return true
		default:
		}
		conn, err := tls.Dial("tcp", f.Addr, trusted())
		if err == nil {
			conn.Close()
		}
		up = err == nil
		return up
	})
	return up
}

// writeConfig writes the config as it is in this folder, but for addresses and paths.
func (f *front) writeConfig(behind []*daemontest.Daemon) {
	f.t.Helper()
	replace := f.kind.replace(f)
	replace = append(replace, "127.0.0.1:8080", behind[0].Addr)
	if len(behind) > 1 {
		replace = append(replace, "127.0.0.1:8081", behind[1].Addr, "# several: ", "")
	}
	f.edit(f.kind.config, replace...)
}

// edit makes its config of a file; each first one of the pairs must be in it.
func (f *front) edit(from string, pairs ...string) {
	f.t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		f.t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if !bytes.Contains(text, []byte(pairs[i])) {
			f.t.Fatalf("%s has no %q", from, pairs[i])
		}
	}
	changed := strings.NewReplacer(pairs...).Replace(string(text))
	if err := os.WriteFile(f.config, []byte(changed), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// written is all that the proxy wrote, to files and otherwise, its config aside.
func (f *front) written() string {
	f.t.Helper()
	var all strings.Builder
	all.WriteString(f.Out.String())
	logs, err := filepath.Glob(f.file("*.log"))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, path := range logs {
		text, err := os.ReadFile(path)
		if err != nil {
			f.t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

var (
	portMu    sync.Mutex
	portTaken = map[string]bool{}
)

// freePort gives a port that nobody listens at, and that it has not given before.
func freePort(t *testing.T) string {
	t.Helper()
	portMu.Lock()
	defer portMu.Unlock()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(l.Addr().String())
		l.Close()
		if !portTaken[port] {
			portTaken[port] = true
			return port
		}
	}
}

// certificate is made once: for host, signed by itself.
var certificate = sync.OnceValue(func() (c struct{ cert, key []byte }) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), DNSNames: []string{host},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	c.cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	c.key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return c
})

func (f *front) writeCertificate() {
	f.t.Helper()
	c := certificate()
	for name, text := range map[string][]byte{
		"cert.pem": c.cert, "key.pem": c.key, "both.pem": fmt.Appendf(nil, "%s%s", c.cert, c.key),
	} {
		if err := os.WriteFile(f.file(name), text, 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
}

// trusted is a client's TLS that knows the certificate, and no other.
func trusted() *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate().cert)
	return &tls.Config{RootCAs: roots, ServerName: host}
}
