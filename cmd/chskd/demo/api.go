package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// answerTimeout bounds every request but the stream.
const answerTimeout = 10 * time.Second

// api is the HTTP dialect of chskd's Unix socket, as far as the demo needs it. Any goroutine.
type api struct{ client *http.Client }

func newAPI(socketPath string) *api {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socketPath)
	}
	return &api{&http.Client{Transport: &http.Transport{DialContext: dial}}}
}

func (a *api) close() { a.client.CloseIdleConnections() }

// pushAll sends `[id, data]` to every user.
func (a *api) pushAll(ctx context.Context, id string, data any) error {
	return a.post(ctx, "/v1/push", map[string]any{"all": true, "event": []any{id, data}})
}

// reply answers an event whose sender waits.
func (a *api) reply(ctx context.Context, replyTo string, value any) error {
	return a.post(ctx, "/v1/reply", map[string]any{"reply_to": replyTo, "value": value})
}

// roster is who is online: `{"any": [...], "ws": [...], "ajax": [...], "count": ...}`. A null
// stands for users without uid, whom a chat cannot name.
type roster struct {
	Any   []*string      `json:"any"`
	WS    []*string      `json:"ws"`
	Ajax  []*string      `json:"ajax"`
	Count map[string]int `json:"count"`
}

func (a *api) connected(ctx context.Context, limit int) (r roster, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	resp, err := a.do(ctx, http.MethodGet, fmt.Sprintf("/v1/connected?limit=%d", limit), nil)
	if err != nil {
		return r, err
	}
	defer resp.Body.Close()
	return r, json.NewDecoder(resp.Body).Decode(&r)
}

// events opens the stream of events and presence; the caller closes it.
func (a *api) events(ctx context.Context) (io.ReadCloser, error) {
	resp, err := a.do(ctx, http.MethodGet, "/v1/events?format=json&presence=1", nil)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

func (a *api) post(ctx context.Context, path string, body any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	resp, err := a.do(ctx, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// do makes one request; an answer that is not 200 is an error with the text of its body.
func (a *api) do(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://chskd"+path, content)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1024)) // only to explain the status
		return nil, fmt.Errorf("demo: %s %s: %s: %s", method, path, resp.Status, text)
	}
	return resp, nil
}
