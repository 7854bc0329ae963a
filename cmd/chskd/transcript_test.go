package main_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The recordings in testdata/transcripts are played against a running chskd: a client sends what
// the recorded client sent, in its order and its time, and what comes back must be what the real
// server sent, as values, but for the differences in testdata/differences.txt. The files:
//
//	transcript_load_test.go   recordings and their steps, each as one line of text
//	transcript_patch_test.go  the list of differences, as patches to the recordings
//	transcript_play_test.go   the client that plays a script and compares
//	transcript_wire_test.go   what it reads
//	transcript_rig_test.go    the application behind the daemon
//	transcript_edn_test.go    edn texts as values
//	transcript_clock_test.go  whether the machine kept up

const (
	// playersMax recordings are played at once; they mostly wait.
	playersMax = 12

	// A run that differs says nothing when the machine stood still for longer than tolerance in
	// it: recorded steps are as near to each other as that. It is repeated.
	tolerance   = 4 * time.Millisecond
	attemptsMax = 6
)

func TestTranscripts(t *testing.T) {
	recordings := loadRecordings(t)
	differences := loadDifferences(t)
	for name := range differences {
		if !slices.ContainsFunc(recordings, func(r *recording) bool { return r.Name == name }) {
			t.Errorf("%s: no recording %s", differencesFile, name)
		}
	}
	zoo := zooReply(t, recordings)
	machine := startMetronome(t)
	queue := make(chan *recording)
	var players sync.WaitGroup
	for range playersMax {
		players.Go(func() {
			for r := range queue {
				t.Run(r.Name, func(t *testing.T) {
					playRecording(t, r, differences[r.Name], zoo, machine)
				})
			}
		})
	}
	for _, r := range recordings {
		queue <- r
	}
	close(queue)
	players.Wait()
}

func playRecording(
	t *testing.T, r *recording, differences []*hunk, zoo string, machine *metronome,
) {
	script := r.script(t, differences)
	for attempt := 1; ; attempt++ {
		d := startDaemon(t, r.serverFlags(t)...)
		app := startRig(t, d.API, zoo)
		start := time.Now()
		diffs := newPlayer(t, d.Addr, script).play()
		failed, seen := app.result()
		diffs = append(diffs, failed...)
		if want := r.logged(); len(want) > 0 && !slices.Equal(seen, want) {
			diffs = append(diffs, fmt.Sprintf("the application was given\n\t%s\nwant\n\t%s",
				strings.Join(seen, "\n\t"), strings.Join(want, "\n\t")))
		}
		if len(diffs) == 0 {
			return
		}
		if still := machine.stoodStill(start); still > tolerance && attempt < attemptsMax {
			t.Logf("attempt %d is repeated: the machine stood still for %v", attempt, still)
			continue
		}
		for _, diff := range diffs {
			t.Error(diff)
		}
		t.Logf("script:\n%s\ndaemon:\n%s", joinLines(script), d.Stderr())
		return
	}
}

// zooReply takes the application's answer to :test/zoo from the recording of it.
func zooReply(t *testing.T, recordings []*recording) string {
	for _, r := range recordings {
		if r.Name != "edn-ws-zoo-reply" {
			continue
		}
		for _, s := range r.Steps {
			if s.fromClient() || s.Kind != "ws-text" || strings.HasPrefix(s.Text, "[[:chsk/") {
				continue
			}
			reply, err := elementsEDN(s.Text)
			if err != nil {
				t.Fatal(err)
			}
			return reply[0]
		}
	}
	t.Fatal("no recording of :test/zoo")
	return ""
}
