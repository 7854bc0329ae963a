package main

import (
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// statusEvery is how often a status line is drawn anew.
const statusEvery = 200 * time.Millisecond

// eraseLine goes to the line's beginning and empties it (ECMA-48 EL).
const eraseLine = "\r\x1b[K"

// statusLine is the last line of a terminal, drawn again and again, and messages above it. On
// anything but a terminal there are only the messages. Any goroutine.
type statusLine struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex
	shown string // what stands there now; "" = nothing
}

func newStatusLine(w io.Writer) *statusLine { return &statusLine{w: w, terminal: isTerminal(w)} }

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// say writes a line that stays.
func (s *statusLine) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.write(text + "\n")
}

// every shows what text gives, now and then, until stop is called, which takes the line away.
func (s *statusLine) every(text func() string) (stop func()) {
	if !s.terminal {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(statusEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.show(text())
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		<-ended
		s.mu.Lock()
		defer s.mu.Unlock()
		s.clear()
	}
}

func (s *statusLine) show(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text == s.shown {
		return
	}
	s.write(eraseLine + text)
	s.shown = text
}

func (s *statusLine) clear() {
	if s.shown != "" {
		s.write(eraseLine)
		s.shown = ""
	}
}

// write has nobody to tell when the place for telling is gone.
func (s *statusLine) write(text string) { _, _ = io.WriteString(s.w, text) }
