package client_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/chskd/chskd/client"
)

// A backend in a few lines: it answers what clients say, and tells everybody.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, "", client.Options{Wait: true})
	if err != nil {
		fmt.Println("there is no chskd here")
		return
	}
	defer c.Close()
	for e, err := range c.Events(ctx, client.Subscription{IDs: []string{"chat/*"}, Ack: client.AckAuto}) {
		if err != nil {
			return
		}
		if e.Kind != client.Message {
			continue
		}
		var data struct{ Text string }
		ok := e.Decode(&data) == nil
		if ok {
			_, err = c.Push(ctx, client.Push{All: true, Event: "chat/message", Data: data})
			ok = err == nil
		}
		if e.ReplyTo != "" {
			if err := c.Reply(ctx, e.ReplyTo, map[string]bool{"ok": ok}); err != nil {
				log.Print(err)
			}
		}
	}
}

// Many pushes are under way at once; Flush waits for the last answer.
func ExampleClient_PushAsync() {
	ctx := context.Background()
	c, err := client.Dial(ctx, exampleDaemon(), client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for n := range 100_000 {
		p := client.Push{UID: fmt.Sprint("user", n%100), Event: "clock/tick", Data: n, Key: "clock"}
		if err := c.PushAsync(ctx, p, nil); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(c.Flush(ctx), c.Pending())
	// Output: <nil> 0
}

// What is wrong is said by the daemon, in its words.
func ExampleError() {
	ctx := context.Background()
	c, err := client.Dial(ctx, exampleDaemon(), client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	_, err = c.Push(ctx, client.Push{UID: "alice", EDN: `[:chat/message {:text}]`})
	if refused, ok := err.(*client.Error); ok {
		fmt.Println(refused.Code)
	}
	// Output: bad_event
}

// A roster knows who is online, whatever happens to the connection or the daemon.
func ExampleRoster() {
	var users client.Roster
	for _, e := range []client.Event{
		{Kind: client.Hello}, {Kind: client.Open, UID: "alice"}, {Kind: client.Live},
		{Kind: client.Open, UID: "bob"},
		// The daemon was restarted, and only bob came back.
		{Kind: client.Hello, Restarted: true}, {Kind: client.Open, UID: "bob"}, {Kind: client.Live},
	} {
		for _, change := range users.Apply(e) {
			fmt.Println(change.Who, change.Online)
		}
	}
	fmt.Println(users.Len(), users.Has(client.Who{UID: "bob"}))
	// Output:
	// "alice" true
	// "bob" true
	// "alice" false
	// 1 true
}
