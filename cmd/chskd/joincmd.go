package main

import "github.com/spf13/cobra"

// newMemberCmd is `chskd join` or `chskd leave`: who is in a topic.
func newMemberCmd(verb string) *cobra.Command {
	var f apiFlags
	short := "Put a user, or one client of it, into a topic"
	long := "Put a user into a topic: all of its sessions, those of now and those that come later.\n" +
		"With --client only that session joins. A membership lasts until it is left or the user\n" +
		"is gone; joined is false when nobody of that name is online."
	if verb == "leave" {
		short = "Take a user, or one client of it, out of a topic"
		long = "Take a user, or one client of it, out of a topic. What was pushed to the topic and\n" +
			"not sent yet is not sent."
	}
	cmd := newAPICmd(verb+" (--uid UID | --nil-uid) [--client ID] TOPIC", short, cobra.ExactArgs(1), &f)
	cmd.Long = long
	cmd.Example = "  chskd " + verb + " --uid alice room:1"
	f.addUser(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		req := map[string]any{"topic": args[0]}
		if err := f.user(req); err != nil {
			return err
		}
		return f.print(cmd, "/v1/"+verb, req)
	}
	return cmd
}
