package prom_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

var update = flag.Bool("update", false, "write the table of docs/metrics.md")

const (
	docFile    = "../../../docs/metrics.md"
	tableBegin = "<!-- from the collector: go test ./cmd/chskd/prom -update -->\n"
	tableEnd   = "<!-- end -->\n"
)

// TestDocsTable: docs/metrics.md has every metric, as the collector tells it.
func TestDocsTable(t *testing.T) {
	text, err := os.ReadFile(docFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	have, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no table between its two comments", docFile)
	}
	want := table(new(rig).families(t))
	if have == want {
		return
	}
	if !*update {
		t.Fatalf("the table of %s is not what the collector tells; go test ./cmd/chskd/prom -update",
			docFile)
	}
	if err := os.WriteFile(docFile, []byte(before+tableBegin+want+tableEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDocsNames: the metrics that the text names are there.
func TestDocsNames(t *testing.T) {
	text, err := os.ReadFile(docFile)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, f := range new(rig).families(t) {
		known[f.GetName()] = true
		if f.GetType() == dto.MetricType_HISTOGRAM {
			for _, part := range []string{"_bucket", "_sum", "_count"} {
				known[f.GetName()+part] = true
			}
		}
	}
	named := 0
	for _, word := range strings.FieldsFunc(string(text), func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) {
		if !strings.HasPrefix(word, "chskd_") {
			continue
		}
		named++
		if !known[word] {
			t.Errorf("%s names %s, which there is not", docFile, word)
		}
	}
	if named < len(known)/2 {
		t.Errorf("only %d names found", named)
	}
}

// table is a line for each metric: name and labels, type, meaning.
func table(all []*dto.MetricFamily) string {
	var b strings.Builder
	b.WriteString("| metric | type | meaning |\n|---|---|---|\n")
	for _, f := range all {
		fmt.Fprintf(&b, "| `%s`%s | %s | %s |\n", f.GetName(), labelsOf(f),
			strings.ToLower(f.GetType().String()), strings.ReplaceAll(f.GetHelp(), "|", `\|`))
	}
	return b.String()
}

// labelsOf names the labels of a family and, but for the version, all their values.
func labelsOf(f *dto.MetricFamily) string {
	var names []string
	values := map[string][]string{}
	for _, m := range f.Metric {
		for _, l := range m.Label {
			n := l.GetName()
			if values[n] == nil {
				names = append(names, n)
			}
			if !slices.Contains(values[n], l.GetValue()) {
				values[n] = append(values[n], l.GetValue())
			}
		}
	}
	text := ""
	for _, n := range names {
		text += "<br>" + n
		if n != "version" {
			text += ": " + strings.Join(values[n], ", ")
		}
	}
	return text
}
