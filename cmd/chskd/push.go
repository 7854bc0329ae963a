package main

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// pushFlags are what `chskd push` adds to the flags that all have.
type pushFlags struct {
	apiFlags
	all    bool
	topic  string
	except []string
	flush  bool
	key    string
	ttl    time.Duration
	id     string
	edn    string
}

// newPushCmd is `chskd push`: an event to users.
func newPushCmd() *cobra.Command {
	var f pushFlags
	cmd := newAPICmd("push (--uid UID... | --nil-uid | --topic TOPIC | --all) ID [JSON]", "Push an event to users",
		cobra.MaximumNArgs(2), &f.apiFlags)
	cmd.Long = "Push an event to users. ID is a keyword with a namespace, as chat/message; JSON\n" +
		"is its data. The answer is printed as JSON; its sessions say how many took the event.\n\n" +
		"With `-` alone, NDJSON is read from the standard input: one push a line, as the API takes\n" +
		"it, each done as soon as it is read. What is refused is told on stderr with its line's\n" +
		"number, and at the end one JSON object tells how many were accepted, rejected,\n" +
		"duplicates (of the accepted: done before) and unanswered, which may be done or not. When\n" +
		"stderr is a terminal, a line on it shows how far it is."
	cmd.Example = `  chskd push --uid alice chat/message '{"text":"hi"}'
  chskd push --topic room:1 --except alice chat/message '{"text":"hi"}'
  chskd push --all --key price --ttl 30s market/price 17.5
  chskd push --all --edn '[:news/item {:at #inst "2026-01-01"}]'
  chskd push - < pushes.ndjson
  echo '{"uid":"alice","event":["chat/message"],"id":"m17"}' | chskd push -`
	f.addUser(cmd)
	cmd.Flags().Lookup("uid").Usage = "a user; may be given several times"
	cmd.Flags().BoolVar(&f.all, "all", false, "all users of the tenant")
	cmd.Flags().StringVar(&f.topic, "topic", "", "the members of this topic")
	cmd.Flags().StringArrayVar(&f.except, "except", nil,
		"with --all or --topic: but not this user")
	cmd.Flags().BoolVar(&f.flush, "flush", false, "send now what waits for its batch")
	cmd.Flags().StringVar(&f.key, "key", "",
		"the latest value wins: whoever was not sent an older event of this key does not get it")
	cmd.Flags().DurationVar(&f.ttl, "ttl", 0, "not sent any more after this time, 1ms to 1h")
	cmd.Flags().StringVar(&f.id, "id", "", "a push of the same id is done once in five minutes")
	cmd.Flags().StringVar(&f.edn, "edn", "", "the whole event as edn, instead of ID and JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 && args[0] == "-" {
			return f.stream(cmd)
		}
		req, err := f.request(args)
		if err != nil {
			return err
		}
		return f.print(cmd, "/v1/push", req)
	}
	return cmd
}

// request builds the push of a command line.
func (f *pushFlags) request(args []string) (map[string]any, error) {
	req := map[string]any{}
	if err := f.receivers(req); err != nil {
		return nil, err
	}
	if err := f.extras(req); err != nil {
		return nil, err
	}
	if f.edn != "" {
		if len(args) > 0 {
			return nil, usageError("--edn is the whole event: no ID beside it")
		}
		req["edn"] = f.edn
		return req, nil
	}
	if len(args) == 0 {
		return nil, usageError("the event's ID is missing, as chat/message")
	}
	event := []any{strings.TrimPrefix(args[0], ":")}
	if len(args) == 2 {
		if !json.Valid([]byte(args[1])) {
			return nil, notJSON(args[1])
		}
		event = append(event, json.RawMessage(args[1]))
	}
	req["event"] = event
	return req, nil
}

// extras puts the options into a push.
func (f *pushFlags) extras(req map[string]any) error {
	if f.flush {
		req["flush"] = true
	}
	if f.key != "" {
		req["key"] = f.key
	}
	if f.id != "" {
		req["id"] = f.id
	}
	if f.ttl != 0 {
		if f.ttl < time.Millisecond || f.ttl > time.Hour {
			return usageError("--ttl must be from 1ms to 1h, not %s", f.ttl)
		}
		req["ttl_ms"] = f.ttl.Milliseconds()
	}
	return nil
}

// receivers names to whom the event goes.
func (f *pushFlags) receivers(req map[string]any) error {
	f.options(req)
	named := 0
	for _, given := range []bool{f.all, f.topic != "", f.nilUID, len(f.uids) > 0} {
		if given {
			named++
		}
	}
	switch {
	case named > 1:
		return usageError("only one of --uid, --nil-uid, --topic and --all can be given")
	case named == 0:
		return usageError("to whom? one of --uid, --nil-uid, --topic and --all must be given")
	case len(f.except) > 0 && !f.all && f.topic == "":
		return usageError("--except goes with --all or --topic")
	}
	if len(f.except) > 0 {
		req["except"] = f.except
	}
	switch {
	case f.all:
		req["all"] = true
	case f.topic != "":
		req["topic"] = f.topic
	case len(f.uids) > 1:
		req["uids"] = f.uids
	default:
		return f.user(req)
	}
	return nil
}

// stream sends the standard input as it comes.
func (f *pushFlags) stream(cmd *cobra.Command) error {
	if f.all || f.nilUID || f.flush || f.ttl != 0 || len(f.uids)+len(f.except) > 0 ||
		f.edn+f.tenant+f.client+f.topic+f.key+f.id != "" {
		return usageError("with -, each line says by itself what is pushed to whom")
	}
	conn, err := dialDaemon(cmd.Context(), f.path())
	if err != nil {
		return err
	}
	return pushLines(conn, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
}
