package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// systemSocket is where a system-wide daemon listens, whoever asks.
const systemSocket = "/run/chskd/chskd.sock"

// DefaultPath is the socket that `chskd push` and the other commands use when none is named:
// $CHSKD_API_SOCKET, else chskd.sock in $RUNTIME_DIRECTORY, in $XDG_RUNTIME_DIR, or in /run/chskd
// for root and /tmp/chskd-<user id> for others; where that is not there, a system-wide daemon's.
func DefaultPath() string {
	path := cmp.Or(os.Getenv("CHSKD_API_SOCKET"), ownSocket())
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && path == ownSocket() {
		if _, err := os.Stat(systemSocket); err == nil {
			return systemSocket
		}
	}
	return path
}

// ownSocket is where a daemon of this user listens by default.
func ownSocket() string {
	const name = "chskd.sock"
	if dirs := os.Getenv("RUNTIME_DIRECTORY"); dirs != "" {
		first, _, _ := strings.Cut(dirs, ":") // systemd lists them
		return filepath.Join(first, name)
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, name)
	}
	if os.Geteuid() == 0 {
		return systemSocket
	}
	return filepath.Join("/tmp", "chskd-"+strconv.Itoa(os.Geteuid()), name)
}

// dialSocket connects, and makes sure that the server is root's or the user's own before anything
// is said: what is pushed is not told to whoever made a socket of that name first.
func (c *Client) dialSocket(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", c.path)
	if err != nil {
		return nil, fmt.Errorf("client: no daemon at %s: %w", c.path, err)
	}
	uid, err := peerUID(conn.(*net.UnixConn))
	if err == nil && uid != 0 && int(uid) != os.Geteuid() && !slices.Contains(c.o.AllowUIDs, uid) {
		err = fmt.Errorf("%w: %s belongs to user %d, neither root nor this user", ErrUntrusted,
			c.path, uid)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// peerUID tells which user listens at the other end (SO_PEERCRED, unix(7)).
func peerUID(conn syscall.Conn) (uint32, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *syscall.Ucred
	e := raw.Control(func(fd uintptr) {
		cred, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err = errors.Join(e, err); err != nil {
		return 0, fmt.Errorf("client: who listens at the socket: %w", err)
	}
	return cred.Uid, nil
}
