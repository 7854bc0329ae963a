package main_test

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
)

var epochText = regexp.MustCompile(`"type":"hello","api":1,"epoch":"([^"]+)"`)

// A reader that is there before the daemon is, and stays when it is started again.
func TestCLIEventsFollow(t *testing.T) {
	api := shortPath(t, "api.sock")
	c := startCommand(t, []string{
		"events", "--follow", "--format", "edn", "--presence", "--api-socket", api,
	})
	awaitText(t, c.errs, "chskd: no daemon at "+api)
	awaitText(t, c.errs, "; trying again\n")

	d := startDaemon(t, "--api-socket", api, "--drain-ms", "100")
	awaitText(t, c.errs, "chskd: connected again\n")
	awaitText(t, c.out, `{"type":"live"}`)
	connectWS(t, d, "alice", "").send(`[[:chat/send {:tags #{"a"}}] nil]`)
	awaitText(t, c.out, `"edn":"[:chat/send {:tags #{\"a\"}}]"`)
	first := epochText.FindStringSubmatch(c.out.String())
	terminate(t, d)
	awaitText(t, c.errs, "the daemon ended the stream")
	if err := d.Ended(); err != nil {
		t.Error(err)
	}

	d = startDaemon(t, "--api-socket", api, "--drain-ms", "100")
	waitFor(t, func() error {
		if n := strings.Count(c.errs.String(), "connected again"); n < 2 {
			return errText("connected again " + strings.Repeat("I", n))
		}
		return nil
	})
	connectWS(t, d, "bob", "").send(`[[:chat/send nil] nil]`)
	awaitText(t, c.out, `"edn":"[:chat/send nil]"`)
	both := epochText.FindAllStringSubmatch(c.out.String(), -1)
	if len(both) != 2 || first == nil || both[0][1] != first[1] || both[1][1] == first[1] {
		t.Errorf("epochs %q", both)
	}
	for line := range strings.Lines(c.out.String()) {
		if !strings.HasPrefix(line, `{"type":"`) || !strings.HasSuffix(line, "}\n") {
			t.Errorf("not a whole line: %q", line)
		}
	}
	if err := c.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := c.end(); code != 0 {
		t.Errorf("exit %d: %s", code, c.errs)
	}
}

type errText string

func (e errText) Error() string { return string(e) }

// What the daemon refuses is not tried again, and without --follow nothing is.
func TestCLIEventsExitCodes(t *testing.T) {
	d := startDaemon(t)
	for _, c := range []struct {
		args string
		code int
		errs string
	}{
		{"events|--follow|--format|msgpack|--api-socket|" + d.API, 1, "json, edn or transit"},
		{"events|--follow|x", 2, "usage: chskd events"},
		{"events|--api-socket|" + shortPath(t, "none"), 3, "no daemon at"},
	} {
		_, errs, code := runCommand(t, "", strings.Split(c.args, "|")...)
		if code != c.code || !strings.Contains(errs, c.errs) {
			t.Errorf("%s: exit %d, %q", c.args, code, errs)
		}
	}
}

// The same event in each format; a group each, so that all get it.
func TestCLIEventsFormats(t *testing.T) {
	d := startDaemon(t)
	want := map[string]string{
		"json":    `"event":["chat/send",{"tags":["a"]}]`,
		"edn":     `"edn":"[:chat/send {:tags #{\"a\"}}]"`,
		"transit": `"transit":["~:chat/send",["^ ","~:tags",["~#set",["a"]]]]`,
	}
	commands := map[string]*command{}
	for format := range want {
		c := startCommand(t, []string{
			"events", "--follow", "--group", format, "--format", format, "--api-socket", d.API,
		})
		awaitText(t, c.out, `"type":"hello"`)
		commands[format] = c
	}
	connectWS(t, d, "alice", "").send(`[[:chat/send {:tags #{"a"}}] nil]`)
	for format, text := range want {
		awaitText(t, commands[format].out, text)
	}
}
