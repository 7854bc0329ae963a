package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// newEventsCmd is `chskd events`: what clients send, as it comes.
func newEventsCmd() *cobra.Command {
	var f apiFlags
	var group, format, presence string
	var ids []string
	var ack, again bool
	cmd := newAPICmd("events", "Print clients' events as they come, one JSON object a line",
		cobra.NoArgs, &f)
	cmd.Long = "Print clients' events as they come, one JSON object a line, until interrupted.\n" +
		"Each event goes to one consumer of each group: in group default this command takes\n" +
		"events away from a backend that reads there; another --group sees all of them too.\n\n" +
		"With --follow a daemon that is not there, or goes away, is waited for: the command says so\n" +
		"on stderr and tries again, at first soon and then every few seconds. Each new stream\n" +
		"begins with its own hello; its epoch tells whether the daemon was started anew."
	cmd.Example = `  chskd events --group tail
  chskd events --group tail --follow --format edn
  chskd events --group tail --ids 'chat/*' --presence=all`
	cmd.Flags().StringVar(&group, "group", "default", "the group of consumers to join")
	cmd.Flags().StringVar(&format, "format", "json", "how events are written: json, edn or transit")
	cmd.Flags().StringSliceVar(&ids, "ids", nil, "only events whose id fits, as 'chat/*'")
	cmd.Flags().StringVar(&presence, "presence", "",
		"also who is online, and each change: 1 = of the users whose events come here, all")
	cmd.Flags().Lookup("presence").NoOptDefVal = "1"
	cmd.Flags().BoolVar(&ack, "ack", false,
		"ack what was printed; what was not goes to the next reader of the group")
	cmd.Flags().BoolVar(&again, "follow", false, "wait for a daemon that is not there, or goes away")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		q := url.Values{"group": {group}, "format": {format}}
		if len(ids) > 0 {
			q["ids"] = ids
		}
		if presence != "" {
			q.Set("presence", presence)
		}
		if ack {
			q.Set("ack", "1")
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		p := &eventPrinter{
			api: f.dial(), target: "/v1/events?" + q.Encode(), ack: ack, out: cmd.OutOrStdout(),
		}
		if again {
			return follow(ctx, p, cmd.ErrOrStderr())
		}
		return p.run(ctx)
	}
	return cmd
}

// eventPrinter prints streams of events, one after the other.
type eventPrinter struct {
	api    *apiClient
	target string
	ack    bool
	out    io.Writer
	begun  func() // called when a stream has begun, if not nil
}

// run prints a stream's lines until it ends, which is an error, or ctx does, which is none.
func (p *eventPrinter) run(ctx context.Context) (err error) {
	resp, err := p.api.do(ctx, http.MethodGet, p.target, "", nil)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if p.begun != nil {
		p.begun()
	}
	r := bufio.NewReader(resp.Body)
	acks := acker{a: p.api}
	var last []byte
	for {
		line, err := r.ReadBytes('\n')
		if err == nil { // else it is a piece of one
			last = line
			if _, err := p.out.Write(line); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return &cliError{exitUnreachable, endOfStream(last)}
		}
		if p.ack {
			if err := acks.printed(ctx, line, r.Buffered() > 0); err != nil {
				return err
			}
		}
	}
}

// acker acks what was printed: not each line, but the last of those that came together.
type acker struct {
	a               *apiClient
	epoch, consumer string
	seq             uint64
}

// printed notes a line; more says that another one is there already.
func (k *acker) printed(ctx context.Context, line []byte, more bool) error {
	var l struct {
		Type, Epoch, Consumer string
		Seq                   uint64
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return fmt.Errorf("the daemon's line makes no sense: %w", err)
	}
	if l.Type == "hello" {
		k.epoch, k.consumer = l.Epoch, l.Consumer
	}
	k.seq = max(k.seq, l.Seq)
	if more || k.seq == 0 {
		return nil
	}
	_, err := k.a.post(ctx, "/v1/ack", map[string]any{
		"epoch": k.epoch, "consumer": k.consumer, "seq": k.seq,
	})
	k.seq = 0
	var refused *apiError
	if ctx.Err() != nil || errors.As(err, &refused) && refused.Code == "stale_ack" {
		return nil // the stream has ended, and says why itself
	}
	return err
}

// endOfStream says why a stream ended: its last line may tell.
func endOfStream(last []byte) error {
	var e struct{ Type, Message string }
	if bytes.HasPrefix(last, []byte(`{"type":"error"`)) && json.Unmarshal(last, &e) == nil {
		return fmt.Errorf("the daemon ended the stream: %s", e.Message)
	}
	return errors.New("the daemon ended the stream")
}
