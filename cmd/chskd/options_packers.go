package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/chskd/chskd/packer"
)

// packerSettings are the options that say which packers clients may choose, as they are written.
type packerSettings struct {
	packer  string
	allowed []string
}

// flags names the options.
func (s *packerSettings) flags(f *pflag.FlagSet) {
	f.StringVar(&s.packer, "packer", "edn",
		"packer of clients that do not choose one: "+packer.AllPackers.String())
	f.StringSliceVar(&s.allowed, "allowed-packers", nil,
		"packers that clients may choose, by ?packer=NAME or PATH/NAME: all, or a list as "+
			"edn,transit (default: all)")
}

// build finds the packers that are named. Errors say what to write instead.
func (s *packerSettings) build() (chosen packer.Packer, allowed packer.Set, err error) {
	chosen, ok := packer.NamedPacker(s.packer)
	if !ok {
		return 0, 0, fmt.Errorf("--packer %q: write one of %v", s.packer, packer.AllPackers)
	}
	for _, name := range s.allowed {
		if name == "all" && len(s.allowed) == 1 {
			return chosen, packer.AllPackers, nil
		}
		p, ok := packer.NamedPacker(name)
		if !ok {
			return 0, 0, fmt.Errorf("--allowed-packers %q: write all, or a list of some of %v",
				name, packer.AllPackers)
		}
		allowed = allowed.Add(p)
	}
	if allowed == 0 {
		allowed = packer.AllPackers
	}
	if !allowed.Has(chosen) {
		return 0, 0, fmt.Errorf("--packer %v is not allowed by --allowed-packers: add it there, or "+
			"write --packer and one of %v", chosen, allowed)
	}
	return chosen, allowed, nil
}
