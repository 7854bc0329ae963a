package main_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// handshakeOf is a handshake message as JSON.
func handshakeOf(uid string) string {
	return fmt.Sprintf(`[["chsk/handshake",[%q,null,null]],null]`, uid)
}

// TestPackerChoice: the path, the query or the daemon's option chooses the packer, for each kind of
// request, and the path comes before the query.
func TestPackerChoice(t *testing.T) {
	t.Parallel()
	for _, byDefault := range []packer.Packer{
		packer.EDN.Packer(), packer.Transit.Packer(), packer.Msgpack.Gzip(),
	} {
		d := startDaemon(t, "--packer", byDefault.String())
		if want := ", packer " + byDefault.String() + ","; !strings.Contains(d.Stderr(), want) {
			t.Errorf("the first line lacks %q: %s", want, d.Stderr())
		}
		chosen := map[string]packer.Packer{"/chsk?client-id=c": byDefault}
		for _, p := range allPackers {
			chosen[fmt.Sprintf("/chsk/%v?client-id=c", p)] = p
			chosen[fmt.Sprintf("/chsk?client-id=c&packer=%v", p)] = p
			chosen[fmt.Sprintf("/chsk?packer=%s&client-id=c", url.QueryEscape(p.String()))] = p
			chosen[fmt.Sprintf("/chsk/%v?client-id=c&packer=json", p)] = p
		}
		for target, p := range chosen {
			ws := openPacked(t, d, p, target, "c")
			ws.alive()
			ws.tcp.Close()
			http := dialRaw(t, d)
			http.send(rawGet(target + "&handshake%3F=1"))
			wantPacked(t, http, p, handshakeOf("c"))
			http.send(packedSend(p, target, pack(t, p, "[[:a/b] nil]")))
			wantPacked(t, http, p, `["chsk/dummy-cb-200",null]`)
			http.tcp.Close()
		}
		if answer := apiCall(t, d, "/v1/stats", ""); !strings.Contains(answer, `"undecodable":0`) {
			t.Errorf("default %v: something was not readable: %s", byDefault, answer)
		}
	}
}

// TestPackersNotAllowed: a packer that there is not, or that is not allowed, is refused before
// anything is done, with the names of those that are.
func TestPackersNotAllowed(t *testing.T) {
	t.Parallel()
	const all = "edn, json, transit, msgpack, gzip-edn, gzip-json, gzip-transit, gzip-msgpack"
	for _, c := range []struct {
		args, allowed string
		refused       []string
	}{
		{"", all, []string{"xml", "gzip", "EDN", "gzip-gzip-edn"}},
		{"--allowed-packers all", all, []string{"nippy"}},
		{"--allowed-packers edn", "edn", []string{"json", "transit", "gzip-edn", "xml"}},
		{"--allowed-packers transit,gzip-edn,edn --path /ws/x", "edn, transit, gzip-edn",
			[]string{"json", "gzip-transit", "msgpack"}},
	} {
		d := startDaemon(t, strings.Fields(c.args)...)
		path := "/chsk"
		if strings.Contains(c.args, "--path") {
			path = "/ws/x"
		}
		want := "No such packer; name one of " + c.allowed + " as packer=NAME or in the path, " +
			path + "/NAME"
		for _, name := range append(c.refused, "") {
			for _, target := range []string{
				path + "/" + name + "?client-id=c", path + "?client-id=c&packer=" + name,
			} {
				for _, request := range []string{
					rawUpgrade(target), rawGet(target + "&handshake%3F=1"),
					rawPost(target, ajaxForm("c", "[[:a/b] nil]")), octetPost(target, "x"),
				} {
					if a := ask(t, d, request); a.status != 400 || a.body != want {
						t.Errorf("%s: %.40q: %d %q, want %q", c.args, request, a.status, a.body, want)
					}
				}
			}
		}
		for _, name := range strings.Split(c.allowed, ", ") {
			p, ok := packer.NamedPacker(name)
			if !ok {
				t.Fatalf("%q is no packer", name)
			}
			openPacked(t, d, p, path+"/"+name+"?client-id=c", "c").alive()
		}
		if n := counter(t, d, "events_in"); n != 0 {
			t.Errorf("%s: %d events were taken", c.args, n)
		}
	}
}
