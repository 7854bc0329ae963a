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
