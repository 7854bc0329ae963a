package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
)

// backend is the application's side: requests to the API socket.
type backend struct {
	t *testing.T
	d *daemon
}

func (b *backend) get(path string, v any) {
	b.t.Helper()
	answer := apiCall(b.t, b.d, path, "")
	if err := json.Unmarshal([]byte(answer), v); err != nil {
		b.t.Fatalf("%s: %v in %s", path, err, answer)
	}
}

// push is one push request.
type push struct {
	UID   string `json:"uid,omitempty"`
	All   bool   `json:"all,omitempty"`
	Flush bool   `json:"flush,omitempty"`
	EDN   string `json:"edn"`
}

// push makes some pushes by one request. All must be taken.
func (b *backend) push(pushes ...push) {
	b.t.Helper()
	var body bytes.Buffer
	lines := json.NewEncoder(&body)
	for _, p := range pushes {
		if err := lines.Encode(p); err != nil {
			b.t.Fatal(err)
		}
	}
	answer := apiCall(b.t, b.d, "/v1/push", body.String())
	want := `{"status":"ok",`
	if len(pushes) > 1 {
		want = fmt.Sprintf(`{"accepted":%d,"rejected":0,`, len(pushes))
	}
	if !strings.HasPrefix(answer, want) {
		b.t.Fatalf("%d pushes: %s", len(pushes), answer)
	}
}

// postPushes pushes from a goroutine that is not the test's; lines are requests.
func postPushes(d *daemon, lines string) error {
	resp, err := apiClient(d).Post("http://chskd/v1/push", "application/x-ndjson",
		strings.NewReader(lines))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(answer), `"rejected":0,`) {
		return fmt.Errorf("pushes were answered %s %s, %w", resp.Status, answer, err)
	}
	return nil
}

// pushNumbers pushes numbered events, each of a little more than pad bytes.
func (b *backend) pushNumbers(uid string, first, n, pad int) {
	b.t.Helper()
	pushes := make([]push, 0, n)
	for i := range n {
		pushes = append(pushes, push{UID: uid, EDN: numbered(first+i, pad)})
	}
	b.push(pushes...)
}

// numbered is an event that carries a number, for numbersOf.
func numbered(i, pad int) string {
	if pad == 0 {
		return fmt.Sprintf("[:e2e/n {:i %d}]", i)
	}
	return fmt.Sprintf("[:e2e/n {:i %d, :pad %q}]", i, strings.Repeat("x", pad))
}

// stats are what the daemon keeps now.
type stats struct {
	Users    int `json:"users"`
	Sessions int `json:"sessions"`
	Entries  int `json:"log_entries"`
	LogBytes int `json:"log_bytes"`
}

func (b *backend) stats() stats {
	b.t.Helper()
	var answer struct {
		Engine stats `json:"engine"`
	}
	b.get("/v1/stats", &answer)
	return answer.Engine
}

// awaitCounter waits for the value of a counter.
func (b *backend) awaitCounter(name string, want uint64) {
	b.t.Helper()
	waitFor(b.t, func() error { return differ(name, counter(b.t, b.d, name), want) })
}

// awaitConfirmed waits until no log keeps anything, for every session has confirmed it.
func (b *backend) awaitConfirmed() {
	b.t.Helper()
	waitFor(b.t, func() error { return differ("log entries", b.stats().Entries, 0) })
}

func differ[T comparable](what string, got, want T) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%s: %+v, want %+v", what, got, want)
}

// awaitClient waits until the user is present.
func (b *backend) awaitClient(uid string) {
	b.t.Helper()
	waitFor(b.t, func() error {
		var user struct{ WS, Ajax int }
		b.get("/v1/connected?uid="+uid, &user)
		if user.WS+user.Ajax == 0 {
			return fmt.Errorf("%s is not present", uid)
		}
		return nil
	})
}
