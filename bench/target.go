package bench

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// target is where the connections of one worker go and how they present themselves. It travels to
// the worker as JSON.
type target struct {
	Address string   `json:"address"` // ip:port
	Host    string   `json:"host"`    // Host header
	Path    string   `json:"path"`    // path and query; `{i}` stands for the connection's number
	Packer  string   `json:"packer"`
	CSRF    string   `json:"csrf,omitempty"`
	Origin  string   `json:"origin,omitempty"`
	Sources []string `json:"sources,omitempty"` // local IPv4 addresses, taken in turn
	Run     uint32   `json:"run"`               // tells the client-ids and events of runs apart
	First   int      `json:"first"`             // number of the worker's first connection
	Conns   int      `json:"conns"`             // how many the worker may open
	Polls   int      `json:"polls,omitempty"`   // percent of them that poll
	Posters int      `json:"posters,omitempty"` // more connections, which carry POSTs

	family  int
	remote  unix.Sockaddr
	sources []unix.Sockaddr
}

// parseTarget reads a ws:// URL and looks its host up.
func parseTarget(text string) (target, error) {
	u, err := url.Parse(text)
	if err != nil {
		return target{}, fmt.Errorf("bench: --url: %w", err)
	}
	if u.Scheme != "ws" {
		return target{}, fmt.Errorf("bench: --url %s: only ws:// is spoken here; give the plain "+
			"address behind the TLS proxy", text)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	tcp, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return target{}, fmt.Errorf("bench: --url: %w", err)
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	path += "?"
	if u.RawQuery != "" {
		path += u.RawQuery + "&"
	}
	return target{Address: tcp.String(), Host: u.Host, Path: path}, nil
}

// loopback says whether the server is on this host, where every 127.x.y.z is a source address.
func (t *target) loopback() bool {
	host, _, _ := net.SplitHostPort(t.Address) // the address is our own text
	ip := net.ParseIP(host)
	return ip != nil && ip.To4() != nil && ip.IsLoopback()
}

// resolve fills the socket addresses from their texts, which is done in each process.
func (t *target) resolve() error {
	host, portText, err := net.SplitHostPort(t.Address)
	if err != nil {
		return fmt.Errorf("bench: address: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return fmt.Errorf("bench: port: %w", err)
	}
	ip := net.ParseIP(host)
	if v4 := ip.To4(); v4 != nil {
		t.family, t.remote = unix.AF_INET, &unix.SockaddrInet4{Port: port, Addr: [4]byte(v4)}
	} else if ip != nil {
		t.family, t.remote = unix.AF_INET6, &unix.SockaddrInet6{Port: port, Addr: [16]byte(ip)}
	} else {
		return fmt.Errorf("bench: %s is not an IP address", host)
	}
	for _, text := range t.Sources {
		v4 := net.ParseIP(text).To4()
		if v4 == nil || t.family != unix.AF_INET {
			return fmt.Errorf("bench: source %s: only IPv4 addresses for an IPv4 server", text)
		}
		t.sources = append(t.sources, &unix.SockaddrInet4{Addr: [4]byte(v4)})
	}
	return nil
}

func (t *target) sockaddr() (family int, remote unix.Sockaddr) { return t.family, t.remote }

// source is the local address of the connection in slot; nil = as the kernel chooses.
func (t *target) source(slot int32) unix.Sockaddr {
	if len(t.sources) == 0 {
		return nil
	}
	return t.sources[(t.First+int(slot))%len(t.sources)]
}

// appendClientID appends the client-id of the connection with a number: 36 letters, as those of the
// UUID that a stock client makes.
func (t *target) appendClientID(dst []byte, number int) []byte {
	dst = appendHex(dst, uint64(t.Run), 8)
	dst = append(dst, "-0000-4000-8000-"...)
	return appendHex(dst, uint64(number), 12)
}

// kind is what the connection in slot speaks: the clients that poll are spread evenly.
func (t *target) kind(slot int) connKind {
	if slot >= t.Conns {
		return kindPost
	}
	if n := t.First + slot; (n+1)*t.Polls/100 > n*t.Polls/100 {
		return kindPoll
	}
	return kindWS
}

// appendUpgrade appends the upgrade request of the connection in slot: RFC 6455 §4.1 with Sente's
// parameters.
func (t *target) appendUpgrade(dst []byte, slot int32, key string) []byte {
	dst = append(dst, "GET "...)
	dst = t.appendPath(dst, slot)
	if t.CSRF != "" {
		dst = append(append(dst, "&csrf-token="...), url.QueryEscape(t.CSRF)...)
	}
	dst = fmt.Appendf(dst, " HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", t.Host, key)
	return t.appendOrigin(dst)
}

// appendPath appends path and query of the connection in slot, the last parameter its client-id.
func (t *target) appendPath(dst []byte, slot int32) []byte {
	number := t.First + int(slot)
	dst = append(dst, strings.ReplaceAll(t.Path, "{i}", strconv.Itoa(number))...)
	return t.appendClientID(append(dst, "client-id="...), number)
}

// appendOrigin ends a request's head.
func (t *target) appendOrigin(dst []byte) []byte {
	if t.Origin != "" {
		dst = fmt.Appendf(dst, "Origin: %s\r\n", t.Origin)
	}
	return append(dst, "\r\n"...)
}

// appendAjax appends a request's head from its version on, as stock clients send it.
func (t *target) appendAjax(dst []byte) []byte {
	dst = fmt.Appendf(dst, " HTTP/1.1\r\nHost: %s\r\nX-Requested-With: XMLHTTPRequest\r\n", t.Host)
	if t.CSRF != "" {
		dst = fmt.Appendf(dst, "X-CSRF-Token: %s\r\n", t.CSRF)
	}
	return dst
}
