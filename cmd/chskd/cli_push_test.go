package main_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A script's pushes: all are done in order, none is lost, and nothing is said but the summary.
func TestCLIPushLines(t *testing.T) {
	d := startDaemon(t)
	c := connectWS(t, d, "alice", "")
	// Fewer to the client than its log holds, so that there is no gap however slowly it reads.
	const n, each = 5000, 6
	var in strings.Builder
	for i := range n {
		uid := "nobody"
		if i%each == 0 {
			uid = "alice"
		}
		fmt.Fprintf(&in, `{"uid":%q,"event":["e2e/n",{"i":%d}]}`+"\n", uid, i/each)
	}
	out, errs, code := runCommand(t, in.String(), "push", "-", "--api-socket", d.API)
	want := fmt.Sprintf(`{"accepted":%d,"rejected":0,"duplicates":0,"unanswered":0}`+"\n", n)
	if out != want || errs != "" || code != 0 {
		t.Errorf("exit %d, %q, %q; want %q", code, out, errs, want)
	}
	for first := 0; first < (n+each-1)/each; {
		first += wantNext(t, c, first)
	}
}

func TestCLIPushLinesRefused(t *testing.T) {
	d := startDaemon(t)
	c := connectWS(t, d, "alice", "")
	lines := []struct{ line, errs string }{
		{`{"uid":"alice","event":["a/e1"]}`, ""},
		{``, ""},
		{`not JSON`, "line 3: not a JSON object (bad_json)"},
		{`["a/b"]`, "line 4: not a JSON object (bad_json)"},
		{`{"uid":`, "line 5: not a JSON object: unexpected end of JSON input (bad_json)"},
		{`{}`, `line 6: to whom? one of "uid", "uids", "topic" and "all": true must be given (missing_field)`},
		{`{"uid":"alice"}`, `line 7: one of "event", "edn" and "transit" must be given (missing_field)`},
		{`{"op":"push","uid":"alice","event":["a/e2"]}`, ""},
		{`{"op":"close","uid":"alice"}`, `line 9: "op" is there twice (duplicate_field)`},
		{`{"uid":"alice","event":["a/b"],"ref":1}`, `line 10: "ref" is there twice (duplicate_field)`},
		{`{"uid":"alice","edn":"[:a/e3 #{1}]","id":"x"}` + "\r", ""},
		{`{"uid":"alice","edn":"[:a/e3 #{1}]","id":"x"}`, ""},
		{`{"uid":"alice","event":["a/b","` + strings.Repeat("x", 1<<20) + `"]}`, `line 13: the request object is longer than 1048576 bytes`},
		{strings.Repeat("x", 17<<20), "line 14: longer than 16777216 bytes (too_large)"},
		{`  {"uid":"alice","event":["a/e4"]}`, ""}, // the last one, without a line end
	}
	var in []string
	for _, l := range lines {
		in = append(in, l.line)
	}
	out, errs, code := runCommand(t, strings.Join(in, "\n"), "push", "-", "--api-socket", d.API)
	const want = `{"accepted":5,"rejected":9,"duplicates":1,"unanswered":0}` + "\n"
	if out != want || code != 1 {
		t.Errorf("exit %d, %q, want 1, %q", code, out, want)
	}
	told := 1 // the last line of all says how many
	for _, l := range lines {
		if l.errs == "" {
			continue
		}
		told++
		if !strings.Contains("\n"+errs, "\n"+l.errs) {
			t.Errorf("%q is not said in:\n%s", l.errs, errs)
		}
	}
	if n := strings.Count(errs, "\n"); n != told || !strings.HasSuffix(errs, "chskd: rejected lines: 9\n") {
		t.Errorf("%d lines, want %d:\n%s", n, told, errs)
	}
	var got []string
	for len(got) < 4 {
		got = append(got, c.batch()...)
	}
	if !slices.Equal(got, []string{"[:a/e1]", "[:a/e2]", "[:a/e3 #{1}]", "[:a/e4]"}) {
		t.Errorf("the client got %q", got)
	}
}

func TestCLIPushExitCodes(t *testing.T) {
	d := startDaemon(t)
	nowhere := filepath.Join(filepath.Dir(d.API), "none")
	for _, c := range []struct {
		args, in string // args between "|"
		code     int
		out      string
	}{
		{`push|-`, "", 0, `{"accepted":0,"rejected":0,"duplicates":0,"unanswered":0}` + "\n"},
		{`push|-`, "\n\n", 0, `{"accepted":0,"rejected":0,"duplicates":0,"unanswered":0}` + "\n"},
		{`push|-`, "x", 1, `{"accepted":0,"rejected":1,"duplicates":0,"unanswered":0}` + "\n"},
		{`push|-|--all`, "", 2, ""},
		{`push|-|--nope`, "", 2, ""},
		{`push|-|--api-socket|` + nowhere, "", 3, ""},
		{`push|--uid|nobody|a/b`, "", 0, `{"status":"ok","sessions":0}` + "\n"},
		{`push|--uid|nobody|plain`, "", 1, ""},
		{`push|--uid|nobody|a/b|--api-socket|` + nowhere, "", 3, ""},
	} {
		args := strings.Split(c.args, "|")
		if !strings.Contains(c.args, "--api-socket") {
			args = append(args, "--api-socket", d.API)
		}
		out, errs, code := runCommand(t, c.in, args...)
		if code != c.code || out != c.out || (errs == "") != (code == 0) {
			t.Errorf("%s: exit %d, %q, %q; want %d, %q", c.args, code, out, errs, c.code, c.out)
		}
	}
}

// On a terminal the progress is shown, and what a daemon that dies leaves open is told.
func TestCLIPushProgress(t *testing.T) {
	d := startDaemon(t)
	tty, shown := terminal(t)
	c := startCommand(t, []string{"push", "-", "--api-socket", d.API},
		func(cmd *exec.Cmd) { cmd.Stderr = tty })
	c.say(`{"uid":"alice","event":["a/e1"]}` + "\n")
	awaitText(t, shown, "1 accepted, 0 rejected, 0 waiting")
	c.say("x\n")
	awaitText(t, shown, "\r\x1b[Kline 2: not a JSON object")
	awaitText(t, shown, "1 accepted, 1 rejected, 0 waiting")
	if err := syscall.Kill(d.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	c.say(`{"uid":"alice","event":["a/e2"]}` + "\n" + `{"uid":"alice","event":["a/e3"]}` + "\n")
	awaitText(t, shown, "1 accepted, 1 rejected, 2 waiting")
	if err := syscall.Kill(d.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := c.end(); code != 3 {
		t.Errorf("exit %d", code)
	}
	if want := `{"accepted":1,"rejected":1,"duplicates":0,"unanswered":2}` + "\n"; c.out.String() != want {
		t.Errorf("printed %q, want %q", c.out, want)
	}
	awaitText(t, shown, "\r\x1b[Kchskd: the daemon ended the connection; lines without an answer: 2, the first is 3")
}

// A daemon that shuts down says so; the input need not have ended.
func TestCLIPushShutdown(t *testing.T) {
	d := startDaemon(t)
	c := startCommand(t, []string{"push", "-", "--api-socket", d.API})
	client := connectWS(t, d, "alice", "")
	c.say(`{"uid":"alice","event":["a/e1"]}` + "\n")
	if got := client.batch(); !slices.Equal(got, []string{"[:a/e1]"}) {
		t.Errorf("the client got %q", got)
	}
	terminate(t, d)
	if code := c.end(); code != 3 {
		t.Errorf("exit %d", code)
	}
	if want := `{"accepted":1,"rejected":0,"duplicates":0,"unanswered":0}` + "\n"; c.out.String() != want {
		t.Errorf("printed %q, want %q", c.out, want)
	}
	if errs := c.errs.String(); !strings.Contains(errs, "(draining)") {
		t.Errorf("said %q", errs)
	}
}
