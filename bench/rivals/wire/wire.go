// Package wire is what the Go rivals share, so that they differ in nothing but their library: the
// few messages of Sente's protocol that `chskd bench idle|ping|broadcast` needs, in edn, and the
// list of connections that a broadcast goes to. A rival knows nothing of users, order or loss.
package wire

import (
	"bytes"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"sync"
)

// Hello is the handshake message, the first one on each connection.
const Hello = `[[:chsk/handshake ["rival" nil nil]] nil]`

// React appends to dst the answer to a client's message. everyone says that it is an event for all
// connections, this one included. ok is false if there is nothing to answer.
func React(dst, message []byte) (answer []byte, everyone, ok bool) {
	if cb, found := bytes.CutPrefix(message, []byte("[[:chsk/ws-ping] ")); found {
		return append(append(dst, `["pong" `...), cb...), false, true
	}
	if data, found := bytes.CutPrefix(message, []byte("[[:bench/push ")); found {
		data = bytes.TrimSuffix(data, []byte("] nil]"))
		dst = append(append(dst, "[[[:bench/n "...), data...)
		return append(dst, "]] nil]"...), true, true
	}
	return dst, false, false
}

// Everyone is the open connections, in the order in which they came. Any goroutine.
type Everyone[C comparable] struct {
	mu    sync.Mutex
	list  []C
	index map[C]int
}

// Add puts a connection in.
func (e *Everyone[C]) Add(c C) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.index == nil {
		e.index = make(map[C]int)
	}
	e.index[c] = len(e.list)
	e.list = append(e.list, c)
}

// Remove takes a connection out; one that is not in is no fault.
func (e *Everyone[C]) Remove(c C) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, ok := e.index[c]
	if !ok {
		return
	}
	last := len(e.list) - 1
	e.list[i] = e.list[last]
	e.index[e.list[i]] = i
	e.list = e.list[:last]
	delete(e.index, c)
}

// Each calls do for every connection, one after the other. Add and Remove wait until it has ended.
func (e *Everyone[C]) Each(do func(C)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.list {
		do(c)
	}
}

// Listen opens the port of 127.0.0.1 that the command line names, as in `gws 8090`, or ends the
// program.
func Listen() net.Listener {
	if len(os.Args) < 2 {
		log.Fatalf("usage: %s PORT", os.Args[0])
	}
	port, err := strconv.ParseUint(os.Args[len(os.Args)-1], 10, 16)
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		log.Fatal(err)
	}
	return l
}
