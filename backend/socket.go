package backend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrInUse: another daemon serves the socket. It is never taken over.
var ErrInUse = errors.New("backend: a live server has this socket")

// maxSocketPath is what fits into a sockaddr_un (unix(7)), its NUL not counted.
const maxSocketPath = 107

// DefaultSocketPath is where the daemon listens, and its commands connect, when nothing is said:
// chskd.sock in $RUNTIME_DIRECTORY (systemd), else in $XDG_RUNTIME_DIR, else in /run/chskd for
// root and in /tmp/chskd-<user id> for others.
func DefaultSocketPath() string {
	const name = "chskd.sock"
	if dirs := os.Getenv("RUNTIME_DIRECTORY"); dirs != "" {
		first, _, _ := strings.Cut(dirs, ":") // systemd lists them
		return filepath.Join(first, name)
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, name)
	}
	if os.Geteuid() == 0 {
		return filepath.Join("/run/chskd", name)
	}
	return filepath.Join("/tmp", "chskd-"+strconv.Itoa(os.Geteuid()), name)
}

// Socket is the daemon's listening socket, with the lock that keeps others away from its path.
type Socket struct {
	*net.UnixListener
	lock *os.File
}

// Listen makes the socket: its folder (0700 when it is made here; it must be the daemon's own
// and nobody else may write in it), a lock beside it, the socket (0660). A socket that a dead
// daemon left is replaced; [ErrInUse] when the daemon lives.
func Listen(path string) (*Socket, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("backend: socket path %s is longer than %d bytes", path, maxSocketPath)
	}
	if err := ownFolder(filepath.Dir(path), path == DefaultSocketPath()); err != nil {
		return nil, err
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	l, err := bind(path)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &Socket{UnixListener: l, lock: lock}, nil
}

// Close ends listening, removes the socket and lets the lock go. The lock's file stays: removing
// it would let two daemons hold locks on two files of the same name.
func (s *Socket) Close() error {
	return errors.Join(s.UnixListener.Close(), s.lock.Close())
}

// ownFolder makes the folder, or checks that nobody else can put a socket in our place: it must
// belong to us or root, and so must a link that leads to it; others must not be able to write in
// it, nor to put another folder in its place. A folder that is the daemon's by default is closed
// for others.
func ownFolder(dir string, byDefault bool) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("backend: socket folder: %w", err)
	}
	link, err := ownedBy(os.Lstat, dir)
	if err != nil {
		return err
	}
	info, err := ownedBy(os.Stat, dir)
	if err != nil {
		return err
	}
	if byDefault && link.Mode().Type() == os.ModeSymlink {
		return fmt.Errorf("backend: the socket folder %s is a link; name the folder that is meant", dir)
	}
	mode := info.Mode().Perm()
	if byDefault && int(owner(info)) == os.Geteuid() && mode != 0o700 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("backend: socket folder: %w", err)
		}
		return ownParent(dir)
	}
	if othersWrite(info) {
		return fmt.Errorf("backend: others can write in the socket folder %s (mode %04o); "+
			"use a folder of its own, mode 0700", dir, mode)
	}
	return ownParent(dir)
}

// ownedBy looks at a file, which must belong to this user or root.
func ownedBy(look func(string) (os.FileInfo, error), path string) (os.FileInfo, error) {
	info, err := look(path)
	if err != nil {
		return nil, fmt.Errorf("backend: socket folder: %w", err)
	}
	if uid := os.Geteuid(); int(owner(info)) != uid && owner(info) != 0 {
		return nil, fmt.Errorf("backend: socket folder %s belongs to user %d, not to %d or root",
			path, owner(info), uid)
	}
	return info, nil
}

func owner(info os.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }

// othersWrite tells whether another user than its owner, root or one of our group may change what
// is in a folder.
func othersWrite(info os.FileInfo) bool {
	mode, st := info.Mode().Perm(), info.Sys().(*syscall.Stat_t)
	return mode&0o002 != 0 || mode&0o020 != 0 && int(st.Gid) != os.Getegid()
}

// ownParent refuses a folder that others could rename: its parent is theirs to write, and not
// sticky as /tmp is.
func ownParent(dir string) error {
	parent := filepath.Dir(dir)
	info, err := os.Stat(parent)
	if err != nil {
		return fmt.Errorf("backend: socket folder: %w", err)
	}
	if othersWrite(info) && info.Mode()&os.ModeSticky == 0 {
		return fmt.Errorf("backend: others could put a folder of theirs in the place of %s: they can "+
			"write in %s (mode %04o)", dir, parent, info.Mode().Perm())
	}
	return nil
}

// lockFile takes the lock for this process's life. The kernel lets it go when the process dies.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("backend: socket lock: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return f, nil
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = fmt.Errorf("%w (%s is locked)", ErrInUse, path)
	} else {
		err = fmt.Errorf("backend: lock %s: %w", path, err)
	}
	return nil, errors.Join(err, f.Close())
}

// bind makes the listening socket. The mode is set before the file is there: no moment is left
// in which a wider one could be used.
func bind(path string) (*net.UnixListener, error) {
	if err := removeDead(path); err != nil {
		return nil, err
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if e := c.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), 0o660) }); e != nil {
			return e
		}
		return err
	}}
	l, err := lc.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("backend: %w", err)
	}
	if err := os.Chmod(path, 0o660); err != nil { // the umask may have taken the group's bits
		return nil, errors.Join(fmt.Errorf("backend: %w", err), l.Close())
	}
	return l.(*net.UnixListener), nil
}

// removeDead removes a socket at which nobody listens. The lock is held: no other daemon can
// come between. Anything that is no socket stays.
func removeDead(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("backend: %w", err)
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("backend: %s is there and is no socket; it is left alone", path)
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		return errors.Join(fmt.Errorf("%w (something answers at %s)", ErrInUse, path), c.Close())
	}
	if !errors.Is(err, unix.ECONNREFUSED) {
		return fmt.Errorf("backend: the socket %s cannot be judged: %w", path, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("backend: %w", err)
	}
	return nil
}

// PeerUID tells which user the other end belongs to: for a server's conn the user that connected,
// for a client's the user that listens (SO_PEERCRED, unix(7)).
func PeerUID(c syscall.Conn) (uint32, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	e := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(e, err); err != nil {
		return 0, err
	}
	return cred.Uid, nil
}

// widen makes room in a full socket for n more bytes, as far as the system allows.
func widen(c syscall.Conn, n int) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	// An error leaves the buffer as it is, and then the write that follows tells.
	_ = raw.Control(func(fd uintptr) {
		size, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF)
		if err != nil {
			return
		}
		// The kernel doubles what is set; what is read back is doubled already.
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, size+2*n)
	})
}
