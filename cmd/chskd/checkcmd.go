package main

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
)

// newCheckCmd is `chskd check`: the options as serve would read them.
func newCheckCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check the options without starting",
		Args:  cobra.MaximumNArgs(1),
	}
	options := newOptionFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		file := ""
		if len(args) > 0 {
			file = args[0]
		}
		c, err := options.load(file)
		if err != nil {
			return err
		}
		if _, err := newSettings(c, slog.New(slog.DiscardHandler)); err != nil {
			return err
		}
		for _, text := range c.Warnings() {
			fmt.Fprintln(cmd.OutOrStdout(), "warning:", text)
		}
		fmt.Fprintln(cmd.OutOrStdout(), "ok")
		return nil
	}
	return cmd
}
