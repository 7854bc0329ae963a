package main_test

import (
	"encoding/json"
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
		if !slices.ContainsFunc(recordings, func(r *recording) bool {
			return r.Name == name || r.anyPacker() == name
		}) {
			t.Errorf("%s: no recording %s", differencesFile, name)
		}
	}
	zoo := zooReplies(t, recordings)
	machine := startMetronome(t)
	queue := make(chan *recording)
	var players sync.WaitGroup
	for range playersMax {
		players.Go(func() {
			for r := range queue {
				t.Run(r.Name, func(t *testing.T) {
					playRecording(t, r, differencesOf(differences, r), zoo[r.Packer], machine)
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
	t *testing.T, r *recording, differences []*hunk, zoo answer, machine *metronome,
) {
	script := r.script(t, differences)
	for attempt := 1; ; attempt++ {
		d := startDaemon(t, r.serverFlags(t)...)
		app := startRig(t, d.API, r.streamFormat(), zoo)
		start := time.Now()
		diffs := newPlayer(t, d.Addr, r.Packer, script).play()
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

// differencesOf are those of one recording, by its own name and by that of all packers.
func differencesOf(all map[string][]*hunk, r *recording) []*hunk {
	return slices.Concat(all[r.Name], all[r.anyPacker()])
}

// zooReplies takes the application's answers to :test/zoo from the recordings of it, by packer: the
// values differ by what each packer has.
func zooReplies(t *testing.T, recordings []*recording) map[string]answer {
	zoo := map[string]answer{}
	for _, r := range recordings {
		if r.anyPacker() != "*-ws-zoo-reply" {
			continue
		}
		for i := range r.Steps {
			s := &r.Steps[i]
			if s.fromClient() || !strings.Contains(s.line(t, r.Packer), ":vecmap ") {
				continue // everything but the reply
			}
			a, err := answerIn(r.Packer, s.payload(t))
			if err != nil {
				t.Fatal(r.Name, err)
			}
			zoo[r.Packer] = a
		}
	}
	return zoo
}

// answerIn takes the reply out of a recorded message, in a format that the API takes.
func answerIn(packer string, message []byte) (answer, error) {
	if inner, ok := strings.CutPrefix(packer, "gzip-"); ok {
		unwrapped, err := unwrapGzip(message)
		if err != nil {
			return answer{}, err
		}
		return answerIn(inner, unwrapped)
	}
	if packer == "transit-json" {
		var pair []json.RawMessage
		err := json.Unmarshal(message, &pair)
		return answer{"transit", pair[0]}, err
	}
	text := string(message)
	if packer == "msgpack" {
		var err error
		if text, err = readMsgpack(message); err != nil {
			return answer{}, err
		}
	}
	pair, err := elementsEDN(text)
	return answer{"edn", pair[0]}, err
}
