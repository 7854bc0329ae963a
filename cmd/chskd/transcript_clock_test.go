package main_test

import (
	"sync"
	"testing"
	"time"
)

const (
	beat  = 2 * time.Millisecond
	pause = time.Millisecond // shorter standstills are not kept
)

// metronome watches how well a busy machine keeps time: it beats, and keeps the beats that came
// late. Tests that play recorded timing ask it whether their own time was kept.
type metronome struct {
	mu   sync.Mutex
	late []lateBeat
}

type lateBeat struct {
	at time.Time
	by time.Duration
}

// startMetronome beats until the test ends.
func startMetronome(t *testing.T) *metronome {
	m := new(metronome)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		m.run(stop)
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
	})
	return m
}

func (m *metronome) run(stop <-chan struct{}) {
	for {
		due := time.Now().Add(beat)
		select {
		case <-stop:
			return
		case <-time.After(beat):
		}
		now := time.Now()
		if by := now.Sub(due); by > pause {
			m.mu.Lock()
			m.late = append(m.late, lateBeat{now, by})
			m.mu.Unlock()
		}
	}
}

// stoodStill gives the longest standstill since then.
func (m *metronome) stoodStill(since time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	var longest time.Duration
	for i := len(m.late) - 1; i >= 0 && m.late[i].at.After(since); i-- {
		longest = max(longest, m.late[i].by)
	}
	return longest
}
