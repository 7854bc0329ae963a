package config_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/chskd/chskd/cmd/chskd/config"
)

// Forms of YAML that mean the same.
func TestGoodFiles(t *testing.T) {
	for name, text := range map[string]string{
		"empty":                "",
		"comments":             "# nothing\n\n# at all\n",
		"a document":           "---\nmax_conns: 5\n",
		"carriage returns":     "max_conns: 5\r\ncsrf:\r\n  cookie: a\r\n",
		"byte order mark":      "\ufeffmax_conns: 5\n",
		"quotes":               "'max_conns': \"5\"\n",
		"flow":                 "{max_conns: 5, csrf: {cookie: a}}\n",
		"an empty section":     "csrf:\nmax_conns: 5\n",
		"a section of comment": "csrf:\n  # cookie: a\nmax_conns: 5\n",
		"lists":                "allowed_origins:\n- https://a.example\n- 'null'\napi_allow_uids: [1, 2]\n",
		"an empty list":        "allowed_origins: []\n",
		"several lines":        "handshake_data: |\n  {:a 1\n   :b 2}\nmax_conns: 5\n",
		"no newline at end":    "max_conns: 5",
		"off is a text":        "redelivery: off\n",
	} {
		if _, err := config.Load(config.Sources{File: write(t, text)}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever stands in a file, the answer is an error with a place in it, or options.
func TestAnyFile(t *testing.T) {
	text := defaultFile(t)
	pieces := []string{"\n", "  ", "\t", ":", ": ", "- ", "[", "]", "{", "}", "\"", "'", "&a", "*a", "|", ">", "#",
		"!!int ", "? ", "---\n", "...\n", "<<: ", "%YAML 1.2\n", "\xff", "\x00", "null", "é", ",", "@", "`", "\r"}
	r := rand.New(rand.NewPCG(1, 2))
	path := write(t, "")
	for i := range 500 {
		b := text
		if i%2 == 0 { // a short stretch, so that what is broken is near
			n := r.IntN(len(b) - 400)
			b = b[n : n+400]
		}
		for range 1 + r.IntN(4) {
			n := r.IntN(len(b))
			b = b[:n] + pieces[r.IntN(len(pieces))] + b[min(len(b), n+r.IntN(6)):]
		}
		rewrite(t, path, b)
		_, err := config.Load(config.Sources{File: path})
		if err != nil && !strings.Contains(err.Error(), path+":") {
			t.Fatalf("%v\nof\n%s", err, b)
		}
	}
}
