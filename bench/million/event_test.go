package main_test

import (
	"encoding/json"
	"slices"
	"testing"

	million "github.com/chskd/chskd/bench/million"
)

func TestBatch(t *testing.T) {
	for _, list := range [][]million.Event{
		{{All: false, Number: 1, At: 1}},
		{{All: true, Number: 1<<32 - 1, At: 1<<63 - 1}, {All: false, Number: 10, At: 0}},
	} {
		text := million.AppendEvents(list...)
		got, err := million.ReadBatch(text)
		if err != nil || !slices.Equal(got, list) {
			t.Errorf("%s gives %v, %v", text, got, err)
		}
	}
}

func TestBatchRefused(t *testing.T) {
	good := `[[[:million/n "0 1 5"] [:million/n "1 2 5"]] nil]`
	if list, err := million.ReadBatch(good); err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	for n := range good {
		if list, err := million.ReadBatch(good[:n]); err == nil {
			t.Errorf("%q gives %v", good[:n], list)
		}
	}
	for _, text := range []string{
		`[[[:million/n "2 1 5"]] nil]`, `[[[:million/n "0 0 5"]] nil]`,
		`[[[:million/n "0 4294967296 5"]] nil]`,
		`[[[:million/n "0 1"]] nil]`, `[[[:million/n "0 1 5 "]] nil]`, `[[[:million/n "0 1 -5"]] nil]`,
		`[[[:million/n "0  1 5"]] nil]`, `[[[:million/x "0 1 5"]] nil]`, `[[[:million/n "0 1 5"]] "cb"]`,
		`[[[:million/n "0 1 5"],[:million/n "0 2 5"]] nil]`,
		`[[[:million/n "0 12345678901234567890 5"]] nil]`,
		`[[[:chskd/gap {:missed 3}]] nil]`, `[:chsk/ws-ping nil]`, `[[] nil]`, `["pong" "x"]`,
	} {
		if list, err := million.ReadBatch(text); err == nil {
			t.Errorf("%q gives %v", text, list)
		}
	}
}

func TestPushLine(t *testing.T) {
	line := million.PushLine("u1", million.Event{Number: 3, At: 99})
	var push struct{ Op, UID, EDN string }
	if err := json.Unmarshal([]byte(line), &push); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if push.Op != "push" || push.UID != "u1" || push.EDN != `[:million/n "0 3 99"]` {
		t.Errorf("%+v", push)
	}
	want := `{"op":"push","all":true,"ref":1,"count":true,"edn":"[:million/n \"1 1 0\"]"}` + "\n"
	if got := million.PushLine("", million.Event{All: true, Number: 1}); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestServerOf(t *testing.T) {
	for text, want := range map[string]int{
		`[[:chsk/handshake ["u" nil {:server 0}]] nil]`:   0,
		`[[:chsk/handshake ["u" nil {:server 417}]] nil]`: 417,
		`[[:chsk/handshake ["u" nil]] nil]`:               -1,
		`[[:chsk/handshake ["u" nil {:server x}]] nil]`:   -1,
		`[[:chsk/handshake ["u" nil {:server 99999}]] n]`: -1,
		`[[:other/event ["u" nil {:server 1}]] nil]`:      -1,
	} {
		got, err := million.ServerOf(text)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%s gives %d, %v", text, got, err)
		}
	}
}

func TestWatch(t *testing.T) {
	type tally struct{ lost, doubled, reordered int64 }
	for name, c := range map[string]struct {
		want    uint32
		numbers []uint32
		tally   tally
	}{
		"in order":          {3, []uint32{1, 2, 3}, tally{}},
		"nothing came":      {3, nil, tally{lost: 3}},
		"the last is gone":  {3, []uint32{1, 2}, tally{lost: 1}},
		"the first is gone": {3, []uint32{2, 3}, tally{lost: 1}},
		"doubled":           {3, []uint32{1, 2, 2, 3}, tally{doubled: 1}},
		"late":              {3, []uint32{1, 3, 2}, tally{reordered: 1}},
		"late and doubled":  {3, []uint32{1, 3, 2, 2}, tally{doubled: 1, reordered: 1}},
		"a hole":            {9, []uint32{1, 7, 3}, tally{lost: 6, reordered: 1}},
	} {
		lost, doubled, reordered := million.Watch(c.want, c.numbers...)
		if got := (tally{lost, doubled, reordered}); got != c.tally {
			t.Errorf("%s: %+v, want %+v", name, got, c.tally)
		}
	}
}
