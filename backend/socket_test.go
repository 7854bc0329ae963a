package backend_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chskd/chskd/backend"
)

func TestDefaultSocketPath(t *testing.T) {
	for _, c := range []struct{ runtime, xdg, want string }{
		{"/run/a", "/run/user/5", "/run/a/chskd.sock"},
		{"/run/a:/run/b", "", "/run/a/chskd.sock"},
		{"", "/run/user/5", "/run/user/5/chskd.sock"},
	} {
		t.Setenv("RUNTIME_DIRECTORY", c.runtime)
		t.Setenv("XDG_RUNTIME_DIR", c.xdg)
		if got := backend.DefaultSocketPath(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	t.Setenv("RUNTIME_DIRECTORY", "")
	t.Setenv("XDG_RUNTIME_DIR", "")
	want := fmt.Sprintf("/tmp/chskd-%d/chskd.sock", os.Geteuid())
	if os.Geteuid() == 0 {
		want = "/run/chskd/chskd.sock"
	}
	if got := backend.DefaultSocketPath(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func modeOf(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

func mustListen(t *testing.T, path string) *backend.Socket {
	t.Helper()
	l, err := backend.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closeSocket(t *testing.T, l *backend.Socket) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestListenModes(t *testing.T) {
	dir := filepath.Join(filepath.Dir(socketPath(t)), "new", "er")
	path := filepath.Join(dir, "s.sock")
	l := mustListen(t, path)
	if m := modeOf(t, dir).Perm(); m != 0o700 {
		t.Errorf("folder: %o", m)
	}
	if m := modeOf(t, path); m.Perm() != 0o660 || m.Type() != os.ModeSocket {
		t.Errorf("socket: %v", m)
	}
	if m := modeOf(t, path+".lock").Perm(); m != 0o600 {
		t.Errorf("lock: %o", m)
	}
	closeSocket(t, l)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	closeSocket(t, mustListen(t, path))
}

// The default folder is closed for others even when it was made wider.
func TestListenInDefaultFolder(t *testing.T) {
	dir := filepath.Dir(socketPath(t))
	t.Setenv("RUNTIME_DIRECTORY", dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	closeSocket(t, mustListen(t, backend.DefaultSocketPath()))
	if m := modeOf(t, dir).Perm(); m != 0o700 {
		t.Errorf("folder: %o", m)
	}
}

func TestListenRefuses(t *testing.T) {
	path := socketPath(t)
	dir := filepath.Dir(path)
	refused := func(name, path string, want error, text string) {
		t.Helper()
		l, err := backend.Listen(path)
		if err == nil {
			closeSocket(t, l)
			t.Errorf("%s: taken", name)
		} else if want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused("a long path", filepath.Join(dir, strings.Repeat("x", 100)), nil, "longer than 107")
	l := mustListen(t, path)
	refused("a live daemon's", path, backend.ErrInUse, "locked")
	closeSocket(t, l)

	other, err := net.Listen("unix", path) // somebody who knows nothing of the lock
	if err != nil {
		t.Fatal(err)
	}
	refused("another live server's", path, backend.ErrInUse, "answers")
	other.(*net.UnixListener).SetUnlinkOnClose(false)
	other.Close()
	closeSocket(t, mustListen(t, path)) // dead now

	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("a file", path, nil, "no socket")
	if b, err := os.ReadFile(path); err != nil || string(b) != "mine" {
		t.Errorf("the file is not what it was: %q %v", b, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	refused("a folder for all", path, nil, "others can write")
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	refused("a folder that all can rename", filepath.Join(dir, "in", "s"), nil, "in the place of")
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	closeSocket(t, mustListen(t, filepath.Join(dir, "in", "s"))) // as in /tmp
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("in", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	closeSocket(t, mustListen(t, filepath.Join(dir, "link", "s"))) // a link of our own
	t.Setenv("RUNTIME_DIRECTORY", filepath.Join(dir, "link"))
	refused("a default folder that is a link", backend.DefaultSocketPath(), nil, "is a link")
	if os.Geteuid() == 0 {
		if err := os.Chown(filepath.Join(dir, "in"), 65534, 65534); err != nil {
			t.Fatal(err)
		}
		refused("a stranger's folder", filepath.Join(dir, "in", "s"), nil, "belongs to user 65534")
	}
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", path+".lock"); err != nil {
		t.Fatal(err)
	}
	refused("a lock that points elsewhere", path, nil, "lock")
}

// A first byte that begins no HTTP request gets one line that says so, and a close.
func TestSniff(t *testing.T) {
	patient := newRig(t, backend.HubOptions{}, backend.Options{FirstByte: patience})
	hasty := newRig(t, backend.HubOptions{}, backend.Options{FirstByte: 20 * time.Millisecond})
	for _, c := range []struct{ name, send, want string }{
		{"lower case", "get / HTTP/1.1\r\n\r\n", `{"type":"error","code":"bad_dialect","message":"`},
		{"a TLS hello", "\x16\x03\x01", `{"type":"error","code":"bad_dialect","message":"`},
		{"an empty line", "\r\n", `{"type":"error","code":"bad_dialect","message":"`},
		{"silence", "", `{"type":"error","code":"timeout","message":"`},
	} {
		r := patient
		if c.send == "" {
			r = hasty
		}
		conn, err := r.dial()
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(conn, c.send); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		// Unread bytes make the kernel reset the connection behind the line.
		if err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: %v", c.name, err)
		}
		if !strings.HasPrefix(string(got), c.want) || bytes.Count(got, []byte("\n")) != 1 {
			t.Errorf("%s: %q", c.name, got)
		}
		conn.Close()
	}
	if status, _ := patient.get("/healthz"); status != 200 {
		t.Errorf("then HTTP: %d", status)
	}
}

func TestKeepAlive(t *testing.T) {
	r := newRig(t, backend.HubOptions{}, backend.Options{FirstByte: time.Second})
	conn, err := r.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	for range 2 {
		fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		var got []byte
		for b := make([]byte, 512); !bytes.HasSuffix(got, []byte("}\n")); {
			n, err := conn.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, b[:n]...)
		}
		time.Sleep(1100 * time.Millisecond) // the bound on the first byte is over
	}
}

func TestTooManyConns(t *testing.T) {
	r := newRig(t, backend.HubOptions{}, backend.Options{MaxConns: 2})
	a, b := r.open(""), r.open("")
	conn, err := r.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if got, err := io.ReadAll(conn); err != nil || !strings.Contains(string(got), `"code":"busy"`) {
		t.Errorf("%q, %v", got, err)
	}
	a.close()
	b.close()
	r.awaitConsumers(0)
	eventually(t, "room", func() bool {
		status, err := r.http.Get("http://chskd/healthz")
		if err != nil {
			return false
		}
		status.Body.Close()
		return status.StatusCode == 200
	})
}

// strangerEnv makes this test's binary connect to a socket and print what it is told.
const strangerEnv = "CHSKD_TEST_STRANGER"

func TestMain(m *testing.M) {
	if path := os.Getenv(strangerEnv); path != "" {
		conn, err := net.Dial("unix", path)
		if err == nil {
			fmt.Fprint(conn, "GET /healthz HTTP/1.0\r\n\r\n")
			_, err = io.Copy(os.Stdout, conn)
		}
		if err != nil && !errors.Is(err, syscall.ECONNRESET) {
			fmt.Println(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Only the daemon's own user, root, and users that are named may speak (SO_PEERCRED).
func TestStrangers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	const nobody = 65534
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		allow []uint32
		want  string
	}{{nil, `"code":"forbidden"`}, {[]uint32{7, nobody}, `{"status":"ok"}`}} {
		r := newRig(t, backend.HubOptions{}, backend.Options{AllowUIDs: c.allow})
		dir := filepath.Dir(r.path)
		binary := filepath.Join(dir, "stranger")
		b, err := os.ReadFile(exe)
		if err == nil {
			err = os.WriteFile(binary, b, 0o755)
		}
		if err = errors.Join(err, os.Chmod(dir, 0o711), os.Chmod(r.path, 0o666)); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(binary)
		cmd.Dir = dir
		cmd.Env = []string{strangerEnv + "=" + r.path}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), c.want) {
			t.Errorf("allow %v: %v %s", c.allow, err, out)
		}
	}
}
