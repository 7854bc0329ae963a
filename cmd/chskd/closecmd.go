package main

import "github.com/spf13/cobra"

// newCloseCmd is `chskd close`: it ends sessions. A stock client reconnects at once: what keeps it
// away is what it is told when it does.
func newCloseCmd() *cobra.Command {
	var f apiFlags
	var code int
	var reason string
	var revoke bool
	cmd := newAPICmd("close (--uid UID | --nil-uid) [--client ID]", "End the sessions of a user",
		cobra.NoArgs, &f)
	cmd.Example = "  chskd close --uid alice --code 4001 --reason 'logged out'"
	f.addUser(cmd)
	cmd.Flags().IntVar(&code, "code", 1000, "close code of WebSockets: 1000, or 3000 to 4999")
	cmd.Flags().StringVar(&reason, "reason", "", "close reason, at most 123 bytes")
	cmd.Flags().BoolVar(&revoke, "revoke", false, "refuse the tokens that the user has until now, too; "+
		"the close code is 4403 then")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		req := map[string]any{}
		if cmd.Flags().Changed("code") || !revoke {
			req["code"] = code
		}
		if revoke {
			req["revoke"] = true
		}
		if reason != "" {
			req["reason"] = reason
		}
		if err := f.user(req); err != nil {
			return err
		}
		return f.print(cmd, "/v1/close", req)
	}
	return cmd
}
