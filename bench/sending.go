package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Two ways for a stream of pushes into chskd's API socket. Both end when every push is answered,
// and chskd reads no faster than it takes them.

// rejections are the pushes that chskd did not take.
type rejections struct {
	count int64
	first string // what it said of the first one
}

func (r *rejections) err() error {
	if r.count == 0 {
		return nil
	}
	return fmt.Errorf("bench: %d pushes were rejected, the first one with: %s", r.count, r.first)
}

// send pushes all of the stream. It implements source.
func (s *pushStream) send(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	o := s.o
	var r rejections
	var err error
	if s.http {
		r, err = sendHTTP(ctx, o.apiSocket, s, o.duration+2*o.timeout)
	} else {
		r, err = sendLines(ctx, o.apiSocket, s, o.timeout)
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(r.err(), err)
}

// sendLines gives orders in the line dialect. Without a `ref` only one that fails is answered, and
// the connection's end tells that there is no answer more. limit bounds each write and that end.
func sendLines(ctx context.Context, path string, s io.Reader, limit time.Duration) (
	r rejections, err error,
) {
	c, err := dialUnix(ctx, path)
	if err != nil {
		return r, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	answered := make(chan error, 1)
	go func() {
		err := readAnswers(c, &r)
		if err != nil {
			c.Close() // so that writing ends as well
		}
		answered <- err
	}()
	err = writeStream(c, s, limit)
	if err == nil {
		err = errors.Join(c.CloseWrite(), c.SetReadDeadline(time.Now().Add(limit)))
	}
	if err != nil { // what was answered until now may say why
		err = errors.Join(err, c.SetReadDeadline(time.Now().Add(time.Second)))
	}
	err = errors.Join(<-answered, err)
	return r, err
}

func dialUnix(ctx context.Context, path string) (*net.UnixConn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("bench: --api-socket: %w", err)
	}
	return c.(*net.UnixConn), nil
}

func writeStream(c *net.UnixConn, s io.Reader, limit time.Duration) error {
	b := make([]byte, streamChunk)
	for {
		n, err := s.Read(b)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = c.SetWriteDeadline(time.Now().Add(limit))
		}
		if err == nil {
			_, err = c.Write(b[:n])
		}
		if err != nil {
			return fmt.Errorf("bench: pushes: %w", err)
		}
	}
}

// readAnswers counts the errors among the answers, until the connection ends.
func readAnswers(c io.Reader, r *rejections) error {
	lines := bufio.NewScanner(c)
	lines.Buffer(nil, answerMax)
	for lines.Scan() {
		var answer struct{ Type, Code, Message string }
		if err := json.Unmarshal(lines.Bytes(), &answer); err != nil {
			return fmt.Errorf("bench: pushes are answered with no JSON: %q", clip(lines.Bytes()))
		}
		if answer.Type != "error" {
			return fmt.Errorf("bench: pushes are answered with %q", clip(lines.Bytes()))
		}
		if r.count++; r.count == 1 {
			r.first = answer.Code + ": " + answer.Message
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("bench: answers to pushes: %w", err)
	}
	return nil
}

// sendHTTP pushes by one request, whose body is the stream.
func sendHTTP(ctx context.Context, path string, s *pushStream, limit time.Duration) (
	r rejections, err error,
) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return dialUnix(ctx, path) }
	client := http.Client{
		Timeout: limit, Transport: &http.Transport{DialContext: dial, WriteBufferSize: streamChunk},
	}
	defer client.CloseIdleConnections()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://chskd/v1/push", s)
	if err != nil {
		return r, fmt.Errorf("bench: pushes: %w", err)
	}
	q.Header.Set("Content-Type", "application/x-ndjson")
	answer, err := client.Do(q)
	if err != nil {
		return r, fmt.Errorf("bench: pushes: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerMax))
	if err != nil {
		return r, fmt.Errorf("bench: answer to pushes: %w", err)
	}
	return parseManyAnswer(answer.StatusCode, text, s.pushed())
}

// parseManyAnswer reads what became of a number of pushes.
func parseManyAnswer(status int, text []byte, pushed int64) (r rejections, err error) {
	var a struct {
		Accepted *int64
		Rejected int64
		Errors   []struct{ Code, Message string }
	}
	if status != http.StatusOK {
		return r, fmt.Errorf("bench: pushes are answered with status %d: %s", status, clip(text))
	}
	if err := json.Unmarshal(text, &a); err != nil || a.Accepted == nil {
		return r, fmt.Errorf("bench: pushes are answered without a count: %q", clip(text))
	}
	r.count = a.Rejected
	if len(a.Errors) > 0 {
		r.first = a.Errors[0].Code + ": " + a.Errors[0].Message
	}
	if *a.Accepted+a.Rejected != pushed {
		return r, fmt.Errorf("bench: %d pushes were sent, but %d accepted and %d rejected", pushed,
			*a.Accepted, a.Rejected)
	}
	return r, nil
}
