// Package examples_test runs the examples as their readers would: against the daemon itself, with
// clients over WebSocket. It installs nothing (`make examples-deps` does): where a language is
// missing its example is skipped, loudly, or fails if CHSKD_REQUIRE_EXAMPLES=1.
package examples_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/chskd/chskd/internal/daemontest"
)

// need ends the test when a program is missing.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CHSKD_REQUIRE_EXAMPLES") == "1" {
		t.Fatalf("%s is missing and CHSKD_REQUIRE_EXAMPLES=1: run `make examples-deps`", program)
	}
	t.Skipf("\n**** SKIPPED: %s needs %s; `make examples-deps` installs it ****", t.Name(), program)
}

// chats are the chat backends; all are the same to their clients.
var chats = []struct {
	file string
	run  func(t *testing.T) []string // the command, without the API socket
}{
	{"chat-go/main.go", builtChat},
	{"chat.py", func(t *testing.T) []string { need(t, "python3"); return []string{"python3", "chat.py"} }},
	{"chat.clj", func(t *testing.T) []string { need(t, "clojure"); return []string{"clojure", "chat.clj"} }},
}

// builtChat compiles the example in Go, which needs nothing that the tests do not need.
func builtChat(t *testing.T) []string {
	program := filepath.Join(daemontest.Folder(t), "chat-go")
	if out, err := exec.Command("go", "build", "-o", program, "./chat-go").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return []string{program}
}

func TestChat(t *testing.T) {
	for _, c := range chats {
		t.Run(c.file, func(t *testing.T) {
			run := c.run(t)
			d := newDaemon(t)
			backend := func() *daemontest.Process { return start(t, append(slices.Clone(run), d.API)...) }
			b := backend()
			d.awaitConsumers(1)
			chatTalk(t, d, "alice", "bob")
			chatSenseless(t, d)

			// Said while no backend is there, and so answered by the next one.
			carol := d.connect("carol")
			carol.want(`["chat/welcome",{"you":"carol"}]`)
			b.End(t, syscall.SIGTERM)
			daemontest.Eventually(t, "chskd notices", func() bool { return d.hubStats().Consumers == 0 })
			carol.say(`[:chat/send {:text "is nobody there?"}]`)
			daemontest.Eventually(t, "it is held", func() bool { return d.hubStats().Held == 1 })
			b = backend()
			carol.want(`["chat/message",{"from":"carol","text":"is nobody there?"}]`)

			d.End(t, syscall.SIGTERM)
			d.Again(t)
			d.awaitConsumers(1)
			chatTalk(t, d, "dan", "eve")
			daemontest.Eventually(t, "everything is acked", func() bool { return d.hubStats().Unacked == 0 })
			b.End(t, syscall.SIGTERM)
		})
	}
}

// chatTalk is what the head of each example promises, between two users who come now.
func chatTalk(t *testing.T, d *daemon, one, two string) {
	a, b := d.connect(one), d.connect(two)
	welcome := `["chat/welcome",{"you":"%s"}]`
	a.want(fmt.Sprintf(welcome, one))
	b.want(fmt.Sprintf(welcome, two))

	ask := func(c *client, event string) {
		t.Helper()
		if got := c.ask(event); got != `{:ok true}` {
			t.Fatalf("%s is answered %s", event, got)
		}
	}
	message := `["chat/message",{"from":"%s","text":"%s"}]`
	const text = `q\" n\n ü \u0001 :x null \\`
	ask(a, `[:chat/send {:text "`+text+`"}]`)
	for _, c := range []*client{a, b} {
		c.want(fmt.Sprintf(message, one, text))
	}
	ask(a, `[:chat/join {:room "r1"}]`)
	// The other one is no member: what he says to the room does not come back to him, what he says
	// to all after it does.
	b.say(`[:chat/send {:text "in the room" :room "r1"}]`)
	b.say(`[:chat/send {:text "to all"}]`)
	a.want(fmt.Sprintf(message, two, "in the room"))
	a.want(fmt.Sprintf(message, two, "to all"))
	b.want(fmt.Sprintf(message, two, "to all"))
}

// chatSenseless sends what no client of the chat sends. It is answered, and the backend goes on.
func chatSenseless(t *testing.T, d *daemon) {
	mallory := d.connect("mallory")
	mallory.want(`["chat/welcome",{"you":"mallory"}]`)
	for _, event := range []string{
		`[:chat/send]`, `[:chat/send nil]`, `[:chat/send "x"]`, `[:chat/send {}]`,
		`[:chat/send {:text 1}]`, `[:chat/send {:text nil}]`, `[:chat/send {:text "x" :room 1}]`,
		`[:chat/send {:text "x" :room #{}}]`, `[:chat/join {}]`, `[:chat/join [1]]`,
		`[:chat/join {:room ` + strings.Repeat("[", 400) + strings.Repeat("]", 400) + `}]`,
		`[:chat/send {:room "` + strings.Repeat("r", 1000) + `" :text "x"}]`,
		`[:chat/send {:text ` + strings.Repeat("9", 900) + `}]`, `[:other/event {:text "x"}]`,
		`[:chat/send #unknown/tag {:text "x"}]`,
		`[:chat/send {{:a 1} 1, #{2} 2}]`, `[:chat/send {:a 1/3 :b 1e400 :c #inst "2026"}]`,
	} {
		if got := mallory.ask(event); got != `{:ok false}` {
			t.Errorf("%.80s is answered %s", event, got)
		}
	}
	mallory.say(`:not-an-event`)
	mallory.say(`[]`)
	mallory.say(`[:chat/send {:text "still here"}]`)
	mallory.want(`["chat/message",{"from":"mallory","text":"still here"}]`)
}
