package bench

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"os"
	"strings"
)

// The page of --html: one file with everything in it, so that it opens from a disk, in a mail, or
// in what a CI keeps. The plots are uPlot's (MIT, html/LICENSE.uPlot).

var (
	//go:embed html/uPlot.iife.min.js
	uplotScript string
	//go:embed html/uPlot.min.css
	uplotStyle string
	//go:embed html/report.js
	reportScript string
	//go:embed html/report.css
	reportStyle string
	//go:embed html/report.html
	reportPage string
)

var pageTemplate = template.Must(template.New("report").Parse(reportPage))

// page is what the template and the script get.
type page struct {
	Title, Text   string
	Style, Script template.HTML // whole elements: our own files, which are no input
	Data          template.HTML
	Rows          []pageRow
	Setup         map[string]string
	Compared      bool
}

type pageRow struct{ Name, Value, Old, Delta string }

// pageData is what the plots show.
type pageData struct {
	Series []point     `json:"series"`
	Curves []pageCurve `json:"curves"`
}

// pageCurve is one latency's distribution: microseconds by nines.
type pageCurve struct {
	Name  string    `json:"name"`
	Nines []float64 `json:"nines"`
	Us    []int64   `json:"us"`
}

func writeHTML(path string, r *report) error {
	p, err := newPage(r)
	if err != nil {
		return fmt.Errorf("bench: --html: %w", err)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("bench: --html: %w", err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("bench: --html: %w", err)
	}
	return nil
}

func newPage(r *report) (*page, error) {
	var text strings.Builder
	r.text(&text)
	p := &page{
		Title: fmt.Sprintf("chskd bench %s", r.Scenario), Text: text.String(), Setup: r.Setup,
		Style:    element("style", uplotStyle+reportStyle),
		Script:   element("script", uplotScript) + element("script", reportScript),
		Compared: len(r.Comparison) > 0,
	}
	compared := make(map[string]comparison)
	for _, c := range r.Comparison {
		compared[c.Name] = c
	}
	for _, f := range r.figures() {
		row := pageRow{Name: f.Name, Value: f.text(f.Value)}
		if c, ok := compared[f.Name]; ok {
			row.Old, row.Delta = c.texts[0], fmt.Sprintf("%+.1f%%", c.Delta)
		}
		p.Rows = append(p.Rows, row)
	}
	data, err := json.Marshal(pageData{Series: r.Series, Curves: r.curves()})
	if err != nil {
		return nil, err
	}
	// encoding/json writes < as an escape, so that the data cannot end the element.
	p.Data = template.HTML(`<script type="application/json" id="data">` + string(data) + `</script>`)
	return p, nil
}

func element(name, content string) template.HTML {
	return template.HTML("<" + name + ">\n" + content + "\n</" + name + ">\n")
}

// curves are the distributions of all latencies of a result.
func (r *report) curves() (list []pageCurve) {
	add := func(name string, s *latencySummary) {
		if s == nil || len(s.curve) == 0 {
			return
		}
		c := pageCurve{Name: name}
		for _, p := range s.curve {
			c.Nines = append(c.Nines, p.Nines)
			c.Us = append(c.Us, p.Us)
		}
		list = append(list, c)
	}
	if r.Handshakes != nil {
		add("handshake", &r.Handshakes.Latency)
	}
	for _, a := range []struct {
		name string
		ask  *askResult
	}{{"ping", r.Ping}, {"echo", r.Echo}, {"post", r.Post}} {
		if a.ask != nil {
			add(a.name, &a.ask.Latency)
		}
	}
	if r.Broadcast != nil {
		add("broadcast", &r.Broadcast.Latency)
	}
	if r.Push != nil {
		add("push", r.Push.Latency)
	}
	if r.Churn != nil {
		add("return", &r.Churn.Latency)
	}
	return list
}
