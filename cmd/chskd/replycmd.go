package main

import (
	"encoding/json"

	"github.com/spf13/cobra"
)

// newReplyCmd is `chskd reply`: the answer to an event whose client waits for one.
func newReplyCmd() *cobra.Command {
	var f apiFlags
	var edn string
	cmd := newAPICmd("reply REPLY_TO [JSON]", "Answer an event that waits for a reply",
		cobra.RangeArgs(1, 2), &f)
	cmd.Long = "Answer an event that waits for a reply. REPLY_TO is the event's reply_to, as\n" +
		"`chskd events` prints it; the first answer counts."
	cmd.Example = `  chskd reply k3.91.7 '{"ok":true}'
  chskd reply k3.91.7 --edn '#{1 2}'`
	cmd.Flags().StringVar(&edn, "edn", "", "the value as edn, instead of JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		req := map[string]any{"reply_to": args[0]}
		switch {
		case (edn != "") == (len(args) == 2):
			return usageError("one value must be given: JSON, or --edn")
		case edn != "":
			req["edn"] = edn
		case !json.Valid([]byte(args[1])):
			return notJSON(args[1])
		default:
			req["value"] = json.RawMessage(args[1])
		}
		return f.print(cmd, "/v1/reply", req)
	}
	return cmd
}

func notJSON(text string) error {
	return usageError("the data %s is not JSON (a string needs its quotes: '\"hi\"')", text)
}
