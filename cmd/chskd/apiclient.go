package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/chskd/chskd/backend"
)

// Exit codes of the commands that talk to a running daemon.
const (
	exitRefused     = 1 // the daemon refused the request, or a part of it
	exitUsage       = 2 // the command line makes no sense
	exitUnreachable = 3 // there is no daemon, or none to be trusted, or it went away, or is too busy
)

// exitHelp is what --help says of them.
const exitHelp = `
Exit codes:
  0  done
  1  refused by the daemon; of several things, at least one
  2  the command line makes no sense
  3  no daemon that can be trusted, or it went away, or it takes nothing now: try again
`

// systemSocket is where a system-wide daemon listens, whoever asks.
const systemSocket = "/run/chskd/chskd.sock"

// cliError is an error with an exit code.
type cliError struct {
	code int
	err  error
}

func (e *cliError) Error() string { return e.err.Error() }
func (e *cliError) Unwrap() error { return e.err }

// ExitCode is the code that the process ends with.
func (e *cliError) ExitCode() int { return e.code }

func usageError(format string, args ...any) error {
	return &cliError{exitUsage, fmt.Errorf(format, args...)}
}

// apiError is an error in the daemon's words.
type apiError struct{ Code, Message string }

func (e *apiError) Error() string { return e.Message + " (" + e.Code + ")" }

// apiFlags are the flags that the commands share.
type apiFlags struct {
	socket string
	tenant string
	uids   []string
	nilUID bool
	client string
}

// newAPICmd makes a command whose usage errors end with exitUsage.
func newAPICmd(use, short string, args cobra.PositionalArgs, f *apiFlags) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: func(c *cobra.Command, a []string) error {
		if err := args(c, a); err != nil {
			return &cliError{exitUsage, fmt.Errorf("%w\nusage: %s", err, c.UseLine())}
		}
		return nil
	}}
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &cliError{exitUsage, fmt.Errorf("%w (see %s --help)", err, c.CommandPath())}
	})
	cmd.SetUsageTemplate(cmd.UsageTemplate() + exitHelp)
	cmd.Flags().StringVar(&f.socket, "api-socket", "",
		"the daemon's Unix socket (default $CHSKD_API_SOCKET, else where a daemon of this user\n"+
			"or of the system listens)")
	return cmd
}

// addUser adds the flags that name one user.
func (f *apiFlags) addUser(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "the users' tenant")
	cmd.Flags().StringArrayVar(&f.uids, "uid", nil, "a user")
	cmd.Flags().BoolVar(&f.nilUID, "nil-uid", false, "the users without uid")
	cmd.Flags().StringVar(&f.client, "client", "", "only this client-id of the user")
}

// user puts the one user of the flags into a request.
func (f *apiFlags) user(req map[string]any) error {
	switch {
	case f.nilUID && len(f.uids) > 0:
		return usageError("only one of --uid and --nil-uid can be given")
	case !f.nilUID && len(f.uids) != 1:
		return usageError("one --uid must be given")
	case f.nilUID:
		req["uid"] = nil
	default:
		req["uid"] = f.uids[0]
	}
	f.options(req)
	return nil
}

// options puts tenant and client into a request.
func (f *apiFlags) options(req map[string]any) {
	if f.tenant != "" {
		req["tenant"] = f.tenant
	}
	if f.client != "" {
		req["client"] = f.client
	}
}

// apiClient speaks HTTP over the daemon's socket.
type apiClient struct{ http *http.Client }

func (f *apiFlags) dial() *apiClient {
	path := f.path()
	return &apiClient{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialDaemon(ctx, path)
		},
	}}}
}

// path is the socket: the flag's, the environment's, or the first that is there of the default
// one and the system's.
func (f *apiFlags) path() string {
	if path := cmp.Or(f.socket, os.Getenv("CHSKD_API_SOCKET")); path != "" {
		return path
	}
	path := backend.DefaultSocketPath()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(systemSocket); err == nil {
			return systemSocket
		}
	}
	return path
}

// dialDaemon connects, and makes sure that the daemon is root's or the user's own: what is pushed
// is not told to whoever made a socket of that name first.
func dialDaemon(ctx context.Context, path string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, &cliError{exitUnreachable, explainDial(path, err)}
	}
	uid, err := backend.PeerUID(c.(*net.UnixConn))
	if err == nil && !trusted(uid, os.Geteuid()) {
		err = fmt.Errorf("the server at %s belongs to user %d, neither root nor you: not trusted",
			path, uid)
	}
	if err != nil {
		return nil, &cliError{exitUnreachable, errors.Join(err, c.Close())}
	}
	return c, nil
}

// trusted tells whether a server of user uid may be talked to.
func trusted(uid uint32, self int) bool { return uid == 0 || int(uid) == self }

func explainDial(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no daemon at %s: start one with `chskd serve`, or say where it is "+
			"with --api-socket or CHSKD_API_SOCKET", path)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no daemon at %s: the one that made the socket is gone", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the socket %s may not be used by this user", path)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// do makes a request; the caller closes the body of the answer, whose status is 200. Anything
// else becomes an error in the daemon's words.
func (a *apiClient) do(ctx context.Context, method, target, contentType string, body io.Reader,
) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://chskd"+target, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		var known *cliError
		if errors.As(err, &known) {
			return nil, known
		}
		return nil, &cliError{exitUnreachable, fmt.Errorf("the daemon went away: %w", err)}
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	err = refusal(resp)
	return nil, errors.Join(err, resp.Body.Close())
}

// refusal reads the daemon's error.
func refusal(resp *http.Response) error {
	exit := exitRefused
	if resp.StatusCode == http.StatusServiceUnavailable {
		exit = exitUnreachable
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var a struct{ Error *apiError }
	if err == nil && json.Unmarshal(b, &a) == nil && a.Error != nil {
		return &cliError{exit, a.Error}
	}
	return &cliError{exit, fmt.Errorf("the daemon answered %s", resp.Status)}
}

// post sends one object and gives the answer's line.
func (a *apiClient) post(ctx context.Context, target string, req map[string]any) ([]byte, error) {
	body, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	resp, err := a.do(ctx, http.MethodPost, target, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return readAnswer(resp)
}

// print posts one object and prints the answer.
func (f *apiFlags) print(cmd *cobra.Command, target string, req map[string]any) error {
	answer, err := f.dial().post(cmd.Context(), target, req)
	if err != nil {
		return err
	}
	_, err = cmd.OutOrStdout().Write(answer)
	return err
}

func readAnswer(resp *http.Response) ([]byte, error) {
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		err = &cliError{exitUnreachable, fmt.Errorf("the daemon went away: %w", err)}
	}
	return b, errors.Join(err, resp.Body.Close())
}
