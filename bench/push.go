package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/sys/unix"
)

// pusher makes the server broadcast numbered events, one after the other in their order.
type pusher interface {
	// push asks for one broadcast and returns how many sessions the server says it is for
	// (-1 = it does not say).
	push(ctx context.Context, e event, size int) (sessions int, err error)
	close()
}

// answerMax bounds what is read of an answer to a push.
const answerMax = 64 << 10

// apiPusher pushes through chskd's API socket: POST /v1/push, over one kept connection.
type apiPusher struct {
	client http.Client
	api    api
	flush  bool
	event  []byte // scratch
}

// newAPIPusher returns a pusher through the socket at path; limit bounds each push.
func newAPIPusher(path string, a api, flush bool, limit time.Duration) *apiPusher {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	return &apiPusher{
		api: a, flush: flush,
		client: http.Client{
			Timeout:   limit,
			Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 1},
		},
	}
}

// The event goes in the run's own format where the API has it, so that its bytes are what the
// clients get.
func (p *apiPusher) push(ctx context.Context, e event, size int) (int, error) {
	body := fmt.Appendf(nil, `{"all":true,"flush":%t,`, p.flush)
	body, err := p.api.appendEvent(body, e, size, &p.event)
	if err != nil {
		return 0, err
	}
	body = append(body, '}')
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://chskd/v1/push",
		bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("bench: push: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := p.client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("bench: push: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerMax))
	if err != nil {
		return 0, fmt.Errorf("bench: push: %w", err)
	}
	return parsePushAnswer(answer.StatusCode, text)
}

func parsePushAnswer(status int, text []byte) (sessions int, err error) {
	var taken struct {
		Sessions *int `json:"sessions"`
	}
	if status != http.StatusOK {
		return 0, fmt.Errorf("bench: push answered with status %d: %s", status, clip(text))
	}
	if err := json.Unmarshal(text, &taken); err != nil || taken.Sessions == nil {
		return 0, fmt.Errorf("bench: push answered with neither sessions nor an error: %q", clip(text))
	}
	return *taken.Sessions, nil
}

func (p *apiPusher) close() { p.client.CloseIdleConnections() }

// socketPID asks who listens at the Unix socket at path (SO_PEERCRED, unix(7)).
func socketPID(path string) (int, error) {
	c, err := net.Dial("unix", path)
	if err != nil {
		return 0, fmt.Errorf("bench: --api-socket: %w", err)
	}
	defer c.Close()
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("bench: --api-socket: %w", err)
	}
	var peer *unix.Ucred
	var peerErr error
	err = raw.Control(func(fd uintptr) {
		peer, peerErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(err, peerErr); err != nil {
		return 0, fmt.Errorf("bench: SO_PEERCRED: %w", err)
	}
	return int(peer.Pid), nil
}

// clientPusher asks the application behind any Sente server to broadcast: it sends the event
// [:bench/push [...]] as a client, and the application sends [:bench/n [...]], with the same data,
// to all users.
type clientPusher struct {
	conn  net.Conn
	codec *codec
}

// newClientPusher connects as the client whose number follows those of the run.
func newClientPusher(t target, c *codec, number int, limit time.Duration) (*clientPusher, error) {
	conn, err := net.DialTimeout("tcp", t.Address, limit)
	if err != nil {
		return nil, fmt.Errorf("bench: pushing client: %w", err)
	}
	const key = "dGhlIHNhbXBsZSBub25jZQ==" // the key of RFC 6455 §1.3: any will do
	_, err = conn.Write(t.appendUpgrade(nil, int32(number-t.First), key))
	r := bufio.NewReader(conn)
	if err == nil {
		err = errors.Join(conn.SetReadDeadline(time.Now().Add(limit)), readUpgrade(r),
			conn.SetReadDeadline(time.Time{}))
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("bench: pushing client: %w", err)
	}
	go io.Copy(io.Discard, r) // ends with the connection, which gets every broadcast too
	return &clientPusher{conn: conn, codec: c}, nil
}

func readUpgrade(r *bufio.Reader) error {
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("upgrade refused: %s", answer.Status)
	}
	return nil
}

func (p *clientPusher) push(_ context.Context, e event, size int) (int, error) {
	size += len(pushID) - len(eventID) // what the application broadcasts is to have the size
	text, err := p.codec.write.appendEvent([]byte("["), pushID, e, size)
	if err != nil {
		return 0, err
	}
	text = p.codec.encode(append(text, p.codec.write.pairEnd...))
	if _, err := p.conn.Write(appendFrame(nil, p.codec.opcode(), 0x5bd1e995, text)); err != nil {
		return 0, fmt.Errorf("bench: pushing client: %w", err)
	}
	return -1, nil
}

func (p *clientPusher) close() { p.conn.Close() }
