package main_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// playConn is one TCP connection of the player. got, ended and methods are guarded by player.mu.
type playConn struct {
	number  int
	tcp     *net.TCPConn
	player  *player
	got     []string // lines, as step.line writes them
	ended   bool
	methods []string // of the requests that are not answered yet
}

// note adds one line of what came.
func (c *playConn) note(what string) { c.noteLine(what, false) }

func (c *playConn) noteLine(what string, last bool) {
	c.player.mu.Lock()
	c.got = append(c.got, fmt.Sprintf("< c%d %s", c.number, what))
	c.ended = last
	c.player.mu.Unlock()
	select {
	case c.player.changed <- struct{}{}:
	default:
	}
}

// read notes everything that comes until the connection ends: HTTP, and frames after a 101.
func (c *playConn) read() {
	in := bufio.NewReader(c.tcp)
	err := c.readHTTP(in)
	for err == nil {
		err = c.readFrame(in)
	}
	if errors.Is(err, io.EOF) {
		c.noteLine("fin", true)
	} else {
		c.noteLine("broken: "+err.Error(), true)
	}
}

// readHTTP returns nil after a 101, else the error that ended the connection.
func (c *playConn) readHTTP(in *bufio.Reader) error {
	for {
		if _, err := in.Peek(1); err != nil {
			return err
		}
		c.player.mu.Lock()
		method := "GET"
		if len(c.methods) > 0 {
			method, c.methods = c.methods[0], c.methods[1:]
		}
		c.player.mu.Unlock()
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return fmt.Errorf("not a response: %w", err)
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			c.note(responseLine(c.player.packer, "101", ""))
			return nil
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		c.note(responseLine(c.player.packer, fmt.Sprint(resp.StatusCode), string(body)))
	}
}

// readFrame reads one frame as a server may send it: whole messages, unmasked, no RSV bits.
func (c *playConn) readFrame(in *bufio.Reader) error {
	var head [2]byte
	if _, err := io.ReadFull(in, head[:1]); err != nil {
		return err
	}
	if _, err := io.ReadFull(in, head[1:]); err != nil {
		return noEOF(err)
	}
	n := uint64(head[1])
	var wide [8]byte
	switch n {
	case 126:
		if _, err := io.ReadFull(in, wide[6:]); err != nil {
			return noEOF(err)
		}
		n = binary.BigEndian.Uint64(wide[:])
	case 127:
		if _, err := io.ReadFull(in, wide[:]); err != nil {
			return noEOF(err)
		}
		n = binary.BigEndian.Uint64(wide[:])
	}
	if head[0]&0xF0 != 0x80 || head[1] >= 0x80 || n > 1<<24 {
		return fmt.Errorf("frame header %x", head)
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(in, payload); err != nil {
		return noEOF(err)
	}
	c.note(frameLine(c.player.packer, head[0]&0x0F, payload))
	return nil
}

// noEOF: an end inside a frame is no end between frames.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func frameLine(packer string, opcode byte, payload []byte) string {
	switch opcode {
	case 0x1, 0x2:
		return messageLine(packer, opcode == 0x2, payload)
	case 0x8:
		if len(payload) < 2 {
			return closeLine(0, "")
		}
		return closeLine(int(binary.BigEndian.Uint16(payload)), string(payload[2:]))
	case 0x9:
		return fmt.Sprintf("ping %q", payload)
	case 0xA:
		return fmt.Sprintf("pong %q", payload)
	default:
		return fmt.Sprintf("opcode %d %q", opcode, payload)
	}
}
