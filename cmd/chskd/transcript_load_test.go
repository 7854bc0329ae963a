package main_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// recording is one dialogue of a real client with a real Sente server, as a proxy saw it.
type recording struct {
	Name       string
	Packer     string
	ServerOpts []string `json:"server_opts"`
	ServerLog  string   `json:"server_log"`
	Steps      []step
}

// step is one thing that one side of a TCP connection did.
type step struct {
	T      float64 // seconds since the recorder's start, when the step's last byte passed
	Conn   int     // number of the TCP connection
	Dir    string  // c2s or s2c
	Kind   string  // tcp-open tcp-fin http ws-text ws-binary ws-close ws-ping ws-pong cont ...
	Text   string  // exact UTF-8, the payload of frames unmasked
	Base64 string  // exact bytes, where Text cannot say them
	Code   int     // of a close frame; 0 = none
	Frame  *struct {
		HeaderHex string `json:"header_hex"`
	}
}

func (s *step) fromClient() bool { return s.Dir == "c2s" }

func (s *step) payload(t testing.TB) []byte {
	if s.Base64 == "" {
		return []byte(s.Text)
	}
	b, err := base64.StdEncoding.DecodeString(s.Base64)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bytes gives what the client put on the wire: for a frame its recorded header, mask included, and
// the payload masked again; for everything else the payload itself.
func (s *step) bytes(t testing.TB) []byte {
	payload := s.payload(t)
	if s.Frame == nil {
		return payload
	}
	header, err := hex.DecodeString(s.Frame.HeaderHex)
	if err != nil || len(header) < 6 {
		t.Fatalf("frame header %q", s.Frame.HeaderHex)
	}
	if s.Kind == "ws-close" && s.Code != 0 {
		payload = append([]byte{byte(s.Code >> 8), byte(s.Code)}, payload...)
	}
	key := header[len(header)-4:]
	wire := append([]byte{}, header...)
	for i, c := range payload {
		wire = append(wire, c^key[i%4])
	}
	return wire
}

// line writes a step in one line, as `< c2 message [1 "cb"]`: the direction as seen by the client, the
// connection, and what was sent as a value. Recorded and observed steps are compared by it.
func (s *step) line(t testing.TB, packer string) string {
	dir := "<"
	if s.fromClient() {
		dir = ">"
	}
	return fmt.Sprintf("%s c%d %s", dir, s.Conn, s.what(t, packer))
}

func (s *step) what(t testing.TB, packer string) string {
	switch s.Kind {
	case "tcp-open":
		return "open"
	case "tcp-fin":
		return "fin"
	case "http":
		text := string(s.payload(t))
		if s.fromClient() {
			method, rest, _ := strings.Cut(text, " ")
			target, _, _ := strings.Cut(rest, " ")
			return "http " + method + " " + target
		}
		head, body, _ := strings.Cut(text, "\r\n\r\n")
		return responseLine(packer, head[len("HTTP/1.1 "):][:3], body)
	case "ws-text", "ws-binary":
		return messageLine(packer, s.Kind == "ws-binary", s.payload(t))
	case "ws-close":
		return closeLine(s.Code, s.Text)
	default:
		return strings.TrimPrefix(s.Kind, "ws-") + " " + fmt.Sprintf("%q", s.payload(t))
	}
}

func responseLine(packer, status, body string) string {
	if status == "101" {
		return "http 101"
	}
	if value, err := valueOf(packer, []byte(body)); status == "200" && err == nil {
		return "http 200 " + value
	}
	return "http " + status + " " + fmt.Sprintf("%q", body)
}

// messageLine is a message in a frame. One in the kind of frame that its packer does not use is not
// looked into.
func messageLine(packer string, binary bool, payload []byte) string {
	value, err := valueOf(packer, payload)
	switch {
	case err == nil && binary == (packer == "msgpack" || strings.HasPrefix(packer, "gzip-")):
		return "message " + value
	case binary:
		return fmt.Sprintf("binary %q", payload)
	}
	return fmt.Sprintf("text %q", payload)
}

func closeLine(code int, reason string) string {
	return strings.TrimSpace(fmt.Sprintf("close %d %s", code, reason))
}

// loadRecordings reads testdata/transcripts, longest first, so that a slow one does not start last.
func loadRecordings(t *testing.T) []*recording {
	files, err := filepath.Glob("testdata/transcripts/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	var all []*recording
	for _, file := range files {
		all = append(all, loadRecording(t, file))
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].seconds() > all[j].seconds() })
	return all
}

func loadRecording(t *testing.T, file string) *recording {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := &recording{Name: strings.TrimSuffix(filepath.Base(file), ".json")}
	if err := json.Unmarshal(b, r); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return r
}

// streamFormat is the format in which the application behind the daemon is told of events: one that
// has every value of the packer.
func (r *recording) streamFormat() string {
	if strings.HasSuffix(r.Packer, "edn") {
		return "edn"
	}
	return "transit"
}

// anyPacker is the recording's name without that of its packer.
func (r *recording) anyPacker() string { return "*" + strings.TrimPrefix(r.Name, r.Packer) }

func (r *recording) seconds() float64 { return r.Steps[len(r.Steps)-1].T - r.Steps[0].T }

// serverFlags says the recorded server's options in chskd's words. The recorded server took the
// uid from the query parameter uid, else the client-id, and any origin unless told otherwise.
func (r *recording) serverFlags(t *testing.T) []string {
	names := map[string]string{
		"--csrf":           "--csrf-token",
		"--handshake-data": "--handshake-data",
		"--lp-timeout":     "--lp-timeout-ms",
		"--kalive":         "--ws-kalive-ms",
		"--ping-timeout":   "--ws-ping-timeout-ms",
		"--origins":        "--allowed-origins",
	}
	flags := []string{"--auth", "dev", "--packer", strings.TrimSuffix(r.Packer, "-json")}
	for i := 0; i < len(r.ServerOpts); i++ {
		if r.ServerOpts[i] == "--trace" {
			continue
		}
		name, ok := names[r.ServerOpts[i]]
		if !ok || i+1 == len(r.ServerOpts) {
			t.Fatalf("%s: unknown server option %s", r.Name, r.ServerOpts[i])
		}
		i++
		flags = append(flags, name, r.ServerOpts[i])
	}
	return flags
}
