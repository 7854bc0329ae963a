package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/chskd/chskd/cmd/chskd/config"
)

// optionFlags are the flags of whoever reads the options of the daemon.
type optionFlags struct {
	file  string
	flags *config.Flags
}

// newOptionFlags adds --config and the flags of all options.
func newOptionFlags(cmd *cobra.Command) *optionFlags {
	o := new(optionFlags)
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.file, "config", "", "YAML file with options (default $"+config.FileVariable+
		", else none); \"chskd config default\" prints one")
	o.flags = config.NewFlags(f)
	return o
}

// load reads the options; file, when not empty, is used in place of the flag.
func (o *optionFlags) load(file string) (*config.Config, error) {
	if file == "" {
		file = o.file
	}
	return config.Load(config.Sources{File: file, Environ: os.Environ(), Flags: o.flags})
}

// newConfigCmd is `chskd config`: the options as files, and those that are in force.
func newConfigCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Print the options: defaults, variables, schema"}
	prints := func(use, short string, run func(cmd *cobra.Command) error) *cobra.Command {
		sub := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd) }}
		cmd.AddCommand(usageExit(sub))
		return sub
	}
	prints("default", "A file with every key, its default and what it does",
		func(cmd *cobra.Command) error {
			return config.WriteYAML(cmd.OutOrStdout(), config.Default(), true)
		})
	prints("env", "Every variable of the environment with its default",
		func(cmd *cobra.Command) error { return config.WriteEnv(cmd.OutOrStdout()) })
	prints("schema", "A JSON Schema (2020-12) of the file",
		func(cmd *cobra.Command) error {
			text, err := config.Schema()
			if err == nil {
				_, err = cmd.OutOrStdout().Write(text)
			}
			return err
		})
	var options *optionFlags
	show := prints("show", "The options in force, from flags, variables and the file; secrets as ***",
		func(cmd *cobra.Command) error {
			c, err := options.load("")
			if err != nil {
				return err
			}
			return config.WriteYAML(cmd.OutOrStdout(), c, false)
		})
	options = newOptionFlags(show)
	return cmd
}

// usageExit makes a wrong command line end with exitUsage.
func usageExit(cmd *cobra.Command) *cobra.Command {
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError("%w (see %s --help)", err, c.CommandPath())
	})
	args := cmd.Args
	cmd.Args = func(c *cobra.Command, list []string) error {
		if err := args(c, list); err != nil {
			return usageError("%w (see %s --help)", err, c.CommandPath())
		}
		return nil
	}
	return cmd
}
