// A chat backend: go run ./examples/chat-go SOCKET
//
//	[:chat/send {:text "hi"}]              everybody gets [:chat/message {:from uid :text "hi"}]
//	[:chat/send {:text "hi" :room "r1"}]   the members of the room get it
//	[:chat/join {:room "r1"}]              makes this client a member
//
// Who comes is greeted with [:chat/welcome {:you uid}]. An event is answered {:ok true} or false.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/chskd/chskd/client"
)

type object = map[string]any

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := client.Dial(ctx, os.Args[1], client.Options{Wait: true}) // chskd may be started after us
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	var users client.Roster
	greeting := false // who was there before us has been greeted
	for e, err := range c.Events(ctx, client.Subscription{
		Presence: client.PresenceOwn, Ack: client.AckAuto,
	}) {
		if err != nil {
			log.Print(err)
			return
		}
		for _, change := range users.Apply(e) {
			if uid := change.Who.UID; greeting && change.Online && !change.Who.NilUID {
				_, err = c.Push(ctx, client.Push{UID: uid, Event: "chat/welcome", Data: object{"you": uid}})
			}
		}
		switch e.Kind {
		case client.Live:
			greeting = true
		case client.Message, client.BadMessage:
			ok := heard(ctx, c, e)
			if e.ReplyTo != "" {
				err = c.Reply(ctx, e.ReplyTo, object{"ok": ok})
			}
		}
		if err != nil {
			log.Print(err)
		}
	}
}

// heard does what an event asks for. What is in it is the client's to choose: any JSON value.
func heard(ctx context.Context, c *client.Client, e client.Event) (ok bool) {
	var data struct{ Text, Room *string }
	if err := e.Decode(&data); err != nil || data.Room != nil && len(*data.Room) > 50 {
		return false
	}
	switch {
	case e.ID == "chat/join" && data.Room != nil:
		joined, err := c.Join(ctx, e.Who(), "room:"+*data.Room)
		return err == nil && joined
	case e.ID == "chat/send" && data.Text != nil:
		p := client.Push{All: true, Event: "chat/message", Data: object{"from": e.UID, "text": data.Text}}
		if data.Room != nil {
			p.All, p.Topic = false, "room:"+*data.Room
		}
		_, err := c.Push(ctx, p)
		return err == nil
	}
	return false
}
