package examples_test

import (
	"os"
	"strings"
	"testing"
)

// The README shows hello.py word for word.
func TestReadmeShowsHello(t *testing.T) {
	program, err := os.ReadFile("hello.py")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(readme), "\n## In your language\n")
	if !found {
		t.Fatal(`README.md has no section "In your language"`)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	if shown := "```python\n" + string(program) + "```\n"; !strings.Contains(section, shown) {
		t.Errorf("the README does not show examples/hello.py as it is:\n%s", shown)
	}
	if n := strings.Count(string(program), "\n"); n > 10 {
		t.Errorf("hello.py has %d lines; the README speaks of ten", n)
	}
	for _, c := range chats {
		if !strings.Contains(section, "examples/"+c.file) {
			t.Errorf("the README does not name examples/%s", c.file)
		}
	}
}

// What the README's ten lines do: beside the demo's backend they say louder what a client said.
func TestHello(t *testing.T) {
	need(t, "python3")
	d := newDaemon(t, "--demo")
	start(t, "python3", "hello.py", d.API)
	d.awaitConsumers(2)
	alice := d.connect("alice")
	alice.say(`[:chat/hello]`)
	alice.say(`[:chat/send {:text "grüß dich"}]`)
	var said []string
	for len(said) < 2 { // the demo also tells who is online
		if e := alice.next(); strings.HasPrefix(e, `["chat/message",`) {
			said = append(said, e)
		}
	}
	for _, want := range []string{`"text":"grüß dich"`, `"from":"python","text":"GRÜSS DICH","at":"20`} {
		if !strings.Contains(said[0]+said[1], want) {
			t.Errorf("the client got %q, without %s", said, want)
		}
	}
}

// The chat backends are meant to be read at once.
func TestChatsAreShort(t *testing.T) {
	for _, c := range chats {
		text, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n >= 80 {
			t.Errorf("%s has %d lines", c.file, n)
		}
	}
}
