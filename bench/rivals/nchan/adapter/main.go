// Command adapter lets `chskd bench broadcast --api-socket` push through nchan: it takes chskd's
// `POST /v1/push {"all": true, "edn": "event"}` on a Unix socket and publishes the event as the
// message of Sente's protocol that carries it. First it publishes the handshake message, which nchan
// then gives to each new client. Usage: adapter SOCKET URL-OF-THE-PUBLISHER
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const hello = `[[:chsk/handshake ["nchan" nil nil]] nil]`

// publisher is the address at which nchan takes messages.
type publisher string

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: adapter SOCKET URL")
	}
	p := publisher(os.Args[2])
	if _, err := p.publish(hello); err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("unix", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(l, p))
}

// publish sends one message to the channel and returns how many subscribers nchan counts.
func (p publisher) publish(message string) (subscribers int, err error) {
	r, err := http.NewRequest(http.MethodPost, string(p), strings.NewReader(message))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Accept", "text/json")
	client := http.Client{Timeout: 30 * time.Second}
	answer, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	var told struct {
		Subscribers int `json:"subscribers"`
	}
	if err := json.Unmarshal(text, &told); err != nil || answer.StatusCode >= 300 {
		return 0, fmt.Errorf("nchan answered %s: %q", answer.Status, text)
	}
	return told.Subscribers, nil
}

func (p publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var order struct {
		All bool   `json:"all"`
		EDN string `json:"edn"`
	}
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil || !order.All || order.EDN == "" {
		http.Error(w, `{"error":{"code":"bad"}}`, http.StatusBadRequest)
		return
	}
	n, err := p.publish("[[" + order.EDN + "] nil]")
	if err != nil {
		log.Print(err)
		http.Error(w, `{"error":{"code":"nchan"}}`, http.StatusBadGateway)
		return
	}
	fmt.Fprintf(w, `{"status":"ok","sessions":%d}`, n)
}
