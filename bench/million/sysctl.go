package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// setSysctls sets what a plan found to be too low, and returns what sets it back.
func setSysctls(findings []finding, log io.Writer) (restore func() error, err error) {
	type old struct{ path, value string }
	var was []old
	restore = func() (err error) {
		for i := len(was) - 1; i >= 0; i-- {
			err = errors.Join(err, os.WriteFile(was[i].path, []byte(was[i].value), 0))
			fmt.Fprintf(log, "%s is %s again\n", was[i].path, was[i].value)
		}
		return err
	}
	for _, f := range findings {
		if f.Sysctl == "" {
			continue
		}
		path := procSys + f.Sysctl
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, []byte(f.Value), 0)
		}
		if err != nil {
			return restore, fmt.Errorf("--set-sysctls: %w", err)
		}
		was = append(was, old{path, strings.TrimSpace(string(text))})
		fmt.Fprintf(log, "%s: %s, was %s\n", path, f.Value, was[len(was)-1].value)
	}
	return restore, nil
}
