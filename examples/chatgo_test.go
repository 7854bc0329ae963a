package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestChatGo is TestChat for the example in Go, which is built first.
func TestChatGo(t *testing.T) {
	program := filepath.Join(buildFolder, "chat-go")
	if out, err := exec.Command("go", "build", "-o", program, "./chat-go").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	d := newDaemon(t)
	b := start(t, program, d.api)
	d.awaitConsumer()
	chatTalk(t, d, "alice", "bob")
	chatSenseless(t, d)

	// Said while no backend is there, and so answered by the next one.
	carol := d.connect("carol")
	carol.want(`["chat/welcome",{"you":"carol"}]`)
	b.stop(syscall.SIGTERM)
	eventually(t, "chskd notices", func() bool { return d.hubStats().Consumers == 0 })
	carol.say(`[:chat/send {:text "is nobody there?"}]`)
	eventually(t, "it is held", func() bool { return d.hubStats().Held == 1 })
	b = start(t, program, d.api)
	carol.want(`["chat/message",{"from":"carol","text":"is nobody there?"}]`)

	d.stop(syscall.SIGTERM)
	d.start()
	d.awaitConsumer()
	chatTalk(t, d, "dan", "eve")
	eventually(t, "everything is acked", func() bool { return d.hubStats().Unacked == 0 })
	b.stop(syscall.SIGTERM)
}

// The example is short enough to be read at once.
func TestChatGoSize(t *testing.T) {
	text, err := os.ReadFile("chat-go/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n >= 80 {
		t.Errorf("it has %d lines", n)
	}
}
