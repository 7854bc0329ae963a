package main

import "time"

// Event is an event for the tests outside of the package.
type Event struct {
	All    bool
	Number uint32
	At     int64
}

// ReadBatch reads the events of a message.
func ReadBatch(message string) (list []Event, err error) {
	err = eachEvent([]byte(message), func(e event) {
		list = append(list, Event{e.stream == toAll, e.number, e.at})
	})
	return list, err
}

// AppendEvents makes the batch that eachEvent reads.
func AppendEvents(list ...Event) string {
	b := []byte("[")
	for i, e := range list {
		b = appendEvent(append(b, "[ "[min(i, 1)]), e.event())
	}
	return string(append(b, batchEnd...))
}

func (e Event) event() event {
	s := toUser
	if e.All {
		s = toAll
	}
	return event{s, e.Number, e.At}
}

// PushLine is the line of the API that pushes an event; uid "" is all.
func PushLine(uid string, e Event) string {
	var to []byte
	if uid != "" {
		to = []byte(uid)
	}
	return string(appendPush(nil, to, e.event()))
}

// ServerOf reads a handshake.
func ServerOf(message string) (int, error) {
	n, err := serverOf([]byte(message))
	return int(n), err
}

// Watch shows one connection numbers of one stream, of which there were want.
func Watch(want uint32, numbers ...uint32) (lost, doubled, reordered int64) {
	var w watch
	var upTo uint32
	for _, n := range numbers {
		w.see(7, &upTo, event{toAll, n, 0})
	}
	return w.lost(7, toAll, upTo, want), w.Doubled, w.Reordered
}

// Machine is what a test says that the machine allows.
type Machine struct {
	Cores, Files, FileMax, Tracked, TrackMax int
	Available                                int64
}

// Plan is what is made of it.
type Plan struct {
	Conns, Servers, Loops, Room, Sources int
	Shares                               []int
	Kalive, PingTimeout                  time.Duration
	Short                                string
}

// MakePlan plans a run with the ports and queues of a usual machine.
func MakePlan(conns int, m Machine) (Plan, error) {
	p, err := makePlan(&options{conns: conns}, &machine{
		cores: m.Cores, files: m.Files, fileMax: m.FileMax, portLow: 32768, portHigh: 60999,
		backlog: 4096, synQueue: 4096, tcpPages: [3]int{1 << 20, 1 << 21, 1 << 22}, watches: 1 << 30,
		pidMax: 1 << 22, tracked: m.Tracked, trackMax: m.TrackMax, available: m.Available,
	})
	if err != nil {
		return Plan{}, err
	}
	return Plan{p.conns, p.servers, p.loops, p.room, len(p.sources), p.shares, p.kalive,
		p.pingTimeout, p.short()}, nil
}

// ServerRoom is serverRoom.
func ServerRoom(files, loops int) int { return serverRoom(files, loops) }
