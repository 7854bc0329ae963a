// Command chskd is a channel-socket daemon: it speaks the wire protocol of Sente to
// browsers and JVM clients, over WebSocket and Ajax, and lets backends in any language
// push to them and hear from them through a local Unix socket.
//
//	chskd serve --demo
//	chskd push --uid alice chat/message '{"text":"hi"}'
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/chskd/chskd/bench"
)

// version is set by the linker for releases; else it is what the build recorded.
var version = ""

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "chskd",
		Short: "A Sente-compatible real-time push server",
		Long: "chskd keeps the connections of Sente clients (WebSocket, with Ajax long-poll as the\n" +
			"fallback) and lets backends push to them and hear from them through a Unix socket.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       versionText(),
	}
	root.AddCommand(newServeCmd(), newCheckCmd(), newConfigCmd(), newPushCmd(), newEventsCmd(), newConnectedCmd(), newCloseCmd(),
		newReplyCmd(), newMemberCmd("join"), newMemberCmd("leave"),
		bench.NewCommand())
	return root
}

// exitCode is an error that says with which code the process ends.
type exitCode interface{ ExitCode() int }

func main() {
	err := newRootCmd().Execute()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "chskd:", err)
	var code exitCode
	if errors.As(err, &code) {
		os.Exit(code.ExitCode())
	}
	os.Exit(1)
}
