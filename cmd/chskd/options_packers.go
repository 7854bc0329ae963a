package main

import (
	"github.com/chskd/chskd/cmd/chskd/config"
	"github.com/chskd/chskd/packer"
)

// packersOf gives the packer of clients that do not choose one, and those that may be chosen.
func packersOf(c *config.Config) (chosen packer.Packer, allowed packer.Set) {
	chosen, _ = packer.NamedPacker(c.Packer)
	for _, name := range c.AllowedPackers {
		if p, ok := packer.NamedPacker(name); ok {
			allowed = allowed.Add(p)
		}
	}
	if allowed == 0 { // all, or an empty list
		allowed = packer.AllPackers
	}
	return chosen, allowed
}
