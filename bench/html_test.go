package bench_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The page is one file, draws its plots in a real browser, and says nothing on its console.
func TestHTML(t *testing.T) {
	s := startSente(t, "", "edn")
	path := filepath.Join(t.TempDir(), "result.html")
	command(t, s, "ping --conns 5 --rate 300 --duration 1500ms --status 200ms --pid "+self()+
		" --html "+path)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	html := string(text)
	if n := len(html); n > 100<<10 {
		t.Errorf("%d bytes", n)
	}
	if outside := regexp.MustCompile(`(src|href)="[^d]`).FindString(html); outside != "" {
		t.Errorf("it asks for something outside: %s", outside)
	}
	for _, want := range []string{"ping latency p99.99", "ping server CPU", "--conns"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q", want)
		}
	}
	said := inBrowser(t, path)
	for name, want := range map[string]string{"canvases": "6", "blank": "0", "errors": "[]"} {
		if got := said[name]; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// probe goes before the page's own scripts, and judges when all is drawn.
const probe = `<script>
const errors = [];
addEventListener("error", (e) => errors.push(String(e.message)));
for (const name of ["error", "warn"]) console[name] = (...a) => errors.push(a.join(" "));
addEventListener("load", () => setTimeout(() => {
  let blank = 0;
  const all = [...document.querySelectorAll("canvas")];
  for (const c of all) {
    const pixels = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
    if (!pixels.some((v, i) => i % 4 === 3 && v > 0)) blank++;
  }
  const out = document.createElement("p");
  out.textContent = "PROBE canvases=" + all.length + " blank=" + blank + " errors=" + JSON.stringify(errors);
  document.body.appendChild(out);
}, 300));
</script>`

// inBrowser opens the page in Chromium, where there is one, and gives what the probe says.
func inBrowser(t *testing.T, path string) map[string]string {
	t.Helper()
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		chromium = "/usr/bin/chromium"
	}
	if _, err := os.Stat(chromium); err != nil {
		if os.Getenv("CHSKD_REQUIRE_BROWSER") == "1" {
			t.Fatalf("%v and CHSKD_REQUIRE_BROWSER=1", err)
		}
		t.Skipf("\n**** SKIPPED: %s needs %s ****", t.Name(), chromium)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	probed := filepath.Join(t.TempDir(), "probed.html")
	page := strings.Replace(string(text), "<head>", "<head>"+probe, 1)
	if err := os.WriteFile(probed, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu",
		"--user-data-dir="+t.TempDir(), "--virtual-time-budget=5000", "--dump-dom",
		"file://"+probed).Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	m := regexp.MustCompile(`PROBE canvases=(\S+) blank=(\S+) errors=(.*?)</p>`).
		FindStringSubmatch(string(out))
	if m == nil {
		t.Fatal("the probe did not run")
	}
	return map[string]string{"canvases": m[1], "blank": m[2], "errors": m[3]}
}
