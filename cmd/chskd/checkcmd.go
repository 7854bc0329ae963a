package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/chskd/chskd/backend"
	"github.com/chskd/chskd/engine"
)

// newCheckCmd is `chskd check`: everything that serve would check, without serving.
func newCheckCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check the options without serving",
		Long: "check reads the options as serve would, from the same flags, variables and file, and tells\n" +
			"every mistake; then what is open, as warnings. Run it as the user that serves.",
		Example: "  chskd check chskd.yaml\n" +
			"  chskd check chskd.yaml --listen 127.0.0.1:9000",
		Args: cobra.MaximumNArgs(1),
	}
	options := newOptionFlags(usageExit(cmd))
	cmd.SetUsageTemplate(cmd.UsageTemplate() + `
Exit codes:
  0  the options are good
  1  serve would not start with them
  2  the command line makes no sense
`)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		file := ""
		if len(args) > 0 {
			file = args[0]
			if options.file != "" {
				return usageError("a file and --config: name one (see %s --help)", cmd.CommandPath())
			}
		}
		c, err := options.load(file)
		if err != nil {
			return err
		}
		log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
		s, err := newSettings(c, log)
		if err != nil {
			return err
		}
		if err := s.check(); err != nil {
			return err
		}
		for _, text := range c.Warnings() {
			fmt.Fprintln(cmd.ErrOrStderr(), "warning:", text)
		}
		fmt.Fprintln(cmd.OutOrStdout(), "ok")
		return nil
	}
	return cmd
}

// check tries what can be tried while another daemon serves: addresses are resolved, not bound, and
// the folders of sockets are looked at, not made.
func (s *settings) check() error {
	if _, err := engine.New(s.Options, inbound{backend.NewHub(s.hubOptions)}); err != nil {
		return err
	}
	var errs []error
	if err := s.resolves("listen", s.Listen); err != nil {
		errs = append(errs, err)
	}
	if addr := s.config.MetricsListen; addr != "" {
		if err := s.resolves("metrics_listen", addr); err != nil {
			errs = append(errs, err)
		}
	}
	if err := socketFolder(s.apiSocket); err != nil {
		errs = append(errs, fmt.Errorf("%s %s: %w", s.config.Name("api_socket"), s.apiSocket, err))
	}
	if socket := s.config.Hook.URL.Socket; socket != "" {
		if _, err := os.Stat(filepath.Dir(socket)); err != nil {
			errs = append(errs, fmt.Errorf("%s: the socket's folder: %w", s.config.Name("hook.url"), err))
		}
	}
	return errors.Join(errs...)
}

// resolves says whether the host of an address has an address.
func (s *settings) resolves(path, addr string) error {
	if _, err := net.ResolveTCPAddr("tcp", addr); err != nil {
		return fmt.Errorf("%s %q: %w", s.config.Name(path), addr, err)
	}
	return nil
}

// socketFolder says whether a socket can be made: its folder, or the nearest one above it that is
// there, lets us write.
func socketFolder(socket string) error {
	folder := filepath.Dir(socket)
	for {
		info, err := os.Stat(folder)
		switch {
		case errors.Is(err, os.ErrNotExist) && folder != filepath.Dir(folder):
			folder = filepath.Dir(folder)
			continue
		case err != nil:
			return fmt.Errorf("the socket's folder: %w", err)
		case !info.IsDir():
			return fmt.Errorf("%s is no folder", folder)
		}
		if err := unix.Access(folder, unix.W_OK|unix.X_OK); err != nil {
			return fmt.Errorf("nothing can be made in %s: %w", folder, err)
		}
		return nil
	}
}
