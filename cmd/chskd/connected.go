package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// connectedPage is the answer to `GET /v1/connected`; a nil uid is the users without uid.
type connectedPage struct {
	Any, WS, Ajax []*string
	Next          string
}

// connectedUser is its answer about one user.
type connectedUser struct {
	Online  bool
	Clients []struct {
		Client     string
		Transports []string
		Packer     string
		Lag        uint64
		memberOf
	}
	More bool
	memberOf
}

// memberOf are the topics that a user or client has joined.
type memberOf struct {
	Topics     []string
	MoreTopics bool `json:"more_topics"`
}

// list lists them, with the given words before it; "" when there are none.
func (m *memberOf) list(before string) string {
	if len(m.Topics) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(before)
	for _, topic := range m.Topics {
		b.WriteString(" " + uidName(&topic))
	}
	if m.MoreTopics {
		b.WriteString(" ... and more")
	}
	return b.String()
}

// newConnectedCmd is `chskd connected`: who is online.
func newConnectedCmd() *cobra.Command {
	var f apiFlags
	var topic string
	var raw bool
	cmd := newAPICmd("connected [--uid UID | --topic TOPIC]",
		"List who is online, or in a topic, or one user's clients", cobra.NoArgs, &f)
	cmd.Example = "  chskd connected\n  chskd connected --topic room:1\n" +
		"  chskd connected --uid alice --json"
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "the users' tenant")
	cmd.Flags().StringArrayVar(&f.uids, "uid", nil, "only this user, with its clients")
	cmd.Flags().BoolVar(&f.nilUID, "nil-uid", false, "only the users without uid")
	cmd.Flags().StringVar(&topic, "topic", "", "only the users who are in this topic")
	cmd.Flags().BoolVar(&raw, "json", false, "print the daemon's answers, one a line")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		q := url.Values{}
		if f.tenant != "" {
			q.Set("tenant", f.tenant)
		}
		ctx, a, out := cmd.Context(), f.dial(), cmd.OutOrStdout()
		switch {
		case len(f.uids) > 1 || f.nilUID && len(f.uids) > 0:
			return usageError("only one of --uid and --nil-uid can be given, once")
		case topic != "" && (f.nilUID || len(f.uids) > 0):
			return usageError("--topic lists users; it does not go with --uid and --nil-uid")
		case f.nilUID:
			q.Set("nil_uid", "1")
		case len(f.uids) == 1:
			q.Set("uid", f.uids[0])
		default:
			if topic != "" {
				q.Set("topic", topic)
			}
			return printPages(ctx, a, q, out, raw)
		}
		return printUser(ctx, a, q, out, raw)
	}
	return cmd
}

// ask gets one answer, and prints it as it is when raw.
func ask(ctx context.Context, a *apiClient, q url.Values, out io.Writer, raw bool, v any) error {
	resp, err := a.do(ctx, http.MethodGet, "/v1/connected?"+q.Encode(), "", nil)
	if err != nil {
		return err
	}
	b, err := readAnswer(resp)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("the daemon's answer makes no sense: %w", err)
	}
	if raw {
		_, err = out.Write(b)
	}
	return err
}

// printPages prints all users, page by page.
func printPages(ctx context.Context, a *apiClient, q url.Values, out io.Writer, raw bool) error {
	q.Set("limit", "1000")
	sawNil := false
	for {
		var page connectedPage
		if err := ask(ctx, a, q, out, raw, &page); err != nil {
			return err
		}
		if !raw {
			if err := printPage(&page, out, &sawNil); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.Set("after", page.Next)
	}
}

// printPage prints a uid a line with its transports; the users without uid once.
func printPage(page *connectedPage, out io.Writer, sawNil *bool) error {
	ws, ajax := uidSet(page.WS), uidSet(page.Ajax)
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, uid := range page.Any {
		if uid == nil && *sawNil {
			continue
		}
		*sawNil = *sawNil || uid == nil
		var over []string
		if ws[uidName(uid)] {
			over = append(over, "ws")
		}
		if ajax[uidName(uid)] {
			over = append(over, "ajax")
		}
		_, err := fmt.Fprintf(w, "%s\t%s\n", uidName(uid), strings.Join(over, ","))
		if err != nil {
			return err
		}
	}
	return w.Flush()
}

func uidSet(uids []*string) map[string]bool {
	set := make(map[string]bool, len(uids))
	for _, uid := range uids {
		set[uidName(uid)] = true
	}
	return set
}

// uidName is a uid on a terminal: what is not printable is quoted.
func uidName(uid *string) string {
	if uid == nil {
		return "(no uid)"
	}
	if quoted := fmt.Sprintf("%q", *uid); quoted != `"`+*uid+`"` || strings.Contains(*uid, " ") {
		return quoted
	}
	return *uid
}

// printUser prints a client a line: transports, packer, events that wait.
func printUser(ctx context.Context, a *apiClient, q url.Values, out io.Writer, raw bool) error {
	var u connectedUser
	if err := ask(ctx, a, q, out, raw, &u); err != nil || raw {
		return err
	}
	if !u.Online {
		_, err := fmt.Fprintln(out, "not online")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, c := range u.Clients {
		_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%d waiting%s\n", uidName(&c.Client),
			strings.Join(c.Transports, ","), c.Packer, c.Lag, c.list("\ttopics"))
		if err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	rest := ""
	if u.More {
		rest = "... and more\n"
	}
	if topics := u.list("topics"); topics != "" {
		rest += topics + "\n"
	}
	_, err := io.WriteString(out, rest)
	return err
}
