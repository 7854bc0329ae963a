package main_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// wsUpgrade is a good opening handshake (RFC 6455 §4.1), for tests to change.
const wsUpgrade = "GET /echo HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n" +
	"Connection: Upgrade\r\nSec-WebSocket-Key: " + wsKey + "\r\nSec-WebSocket-Version: 13\r\n\r\n"

// TestWebSocketUpgrade is RFC 6455 §4.2: which opening handshakes are taken, and how others are
// refused. What is taken must then work: a frame comes right behind the request.
func TestWebSocketUpgrade(t *testing.T) {
	d := startDaemon(t, "--debug-echo", "/echo")
	const connection, version = "Connection: Upgrade\r\n", "Sec-WebSocket-Version: 13\r\n"
	const key = "Sec-WebSocket-Key: " + wsKey + "\r\n"
	tests := []struct {
		name     string
		old, new string // what is changed in wsUpgrade
		status   int
	}{
		{"4.2.1 as it should be", "", "", 101},
		{"4.2.1 names in other cases", "Upgrade: websocket", "uPGRADE: WebSocket", 101},
		{"4.2.1 connection token in another case", connection, "Connection: upgrade\r\n", 101},
		{"4.2.1 connection with more tokens", connection, "Connection: keep-alive, Upgrade\r\n", 101},
		{
			"4.2.1 extension offered",
			connection, connection + "Sec-WebSocket-Extensions: x-webkit\r\n", 101,
		},
		{"4.2.1 query", "/echo", "/echo?a=b", 101},
		{"4.2.1 without a key", key, "", 400},
		{"4.2.1 empty key", wsKey, "", 400},
		{"4.2.1 key of 15 bytes", wsKey, "MTIzNDU2Nzg5MDEyMzQ1", 400},
		{"4.2.1 key of 17 bytes", wsKey, "MTIzNDU2Nzg5MDEyMzQ1Njc=", 400},
		{"4.2.1 key not base64", wsKey, "????????????????????????", 400},
		{"4.2.1 without a version", version, "", 426},
		{"4.4 version 8", "Version: 13", "Version: 8", 426},
		{"4.4 version 14", "Version: 13", "Version: 14", 426},
		{"4.2.1 without Upgrade", "Upgrade: websocket\r\n", "", 426},
		{"4.2.1 POST", "GET", "POST", 400},
		{"4.2.1 HTTP/1.0", "HTTP/1.1", "HTTP/1.0", 400},
		{"4.2.1 without Host", "Host: server.example.com\r\n", "", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request := strings.Replace(wsUpgrade, tt.old, tt.new, 1)
			checkUpgrade(t, d, request+wsText("Hello")+wsClose(1000), tt.status)
		})
	}
}

// checkUpgrade sends a request with frames behind it and checks the answer.
func checkUpgrade(t *testing.T, d *daemon, request string, status int) {
	t.Helper()
	conn, err := net.Dial("tcp", d.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(wsHangs)) // only fails on a closed conn, which Write shows
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != status {
		t.Fatalf("answered %s, want %d", answer.Status, status)
	}
	if v := answer.Header.Get("Sec-WebSocket-Version"); status == 426 && v != "13" {
		t.Errorf("4.4 a refused version is answered by the one spoken, not %q", v)
	}
	if status != 101 {
		return
	}
	if answer.Header.Get("Sec-WebSocket-Accept") != wsAccept(wsKey) ||
		answer.Header.Get("Sec-WebSocket-Extensions") != "" {
		t.Errorf("4.2.2 answered with %v", answer.Header)
	}
	for _, want := range []string{"text Hello", "close 1000"} {
		if line, err := wsRead(in); line != want || err != nil {
			t.Fatalf("behind the upgrade: %q, %v; want %q", line, err, want)
		}
	}
}
