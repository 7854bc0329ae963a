package oracle_test

import (
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/chskd/chskd/packer"
)

// docTable is a table of docs/values.md whose columns are formats.
type docTable struct {
	from    packer.Format
	columns []docColumn
	rows    [][]string // cells, the first of which says what it is and the second is the source
}

// docColumn is what the source becomes in from, or what the row's from becomes in to.
type docColumn struct {
	from, to packer.Format
	back     bool
}

// docTables are the tables with a source: the second cell of their header is a format and an arrow.
func docTables(t *testing.T, doc string) (tables []docTable) {
	t.Helper()
	inTable := false
	for _, line := range strings.Split(doc, "\n") {
		cells := docCells(line)
		switch {
		case cells == nil:
			inTable = false
		case !inTable:
			inTable = true
			tables = append(tables, docHeader(t, cells))
		case !strings.HasPrefix(cells[0], "---"):
			last := &tables[len(tables)-1]
			if len(cells) != len(last.columns)+2 {
				t.Fatalf("%d cells in a table of %d: %s", len(cells), len(last.columns)+2, line)
			}
			last.rows = append(last.rows, cells)
		}
	}
	return tables
}

// docCells are the cells of a line of a table with a source, and of the lines below it.
func docCells(line string) []string {
	if !strings.HasPrefix(line, "|") {
		return nil
	}
	const bar = "\x00"
	cells := strings.Split(strings.ReplaceAll(strings.Trim(line, "|"), `\|`, bar), "|")
	for i, cell := range cells {
		cells[i] = strings.ReplaceAll(strings.TrimSpace(cell), bar, "|")
	}
	return cells
}

func docHeader(t *testing.T, cells []string) (table docTable) {
	t.Helper()
	source, arrow := strings.CutSuffix(cells[1], " →")
	from, ok := packer.Named(source)
	if !arrow || !ok {
		return docTable{columns: make([]docColumn, len(cells)-2)} // a table of something else
	}
	table.from = from
	for _, cell := range cells[2:] {
		a, b, back := strings.Cut(cell, " → ")
		column := docColumn{back: back, to: from}
		if column.from, ok = packer.Named(a); !ok {
			t.Fatalf("no format: %s", cell)
		}
		if back {
			column.to, ok = packer.Named(b)
		}
		if !ok {
			t.Fatalf("no format: %s", cell)
		}
		table.columns = append(table.columns, column)
	}
	return table
}

// Every row of the tables in docs/values.md is what Append does, in every direction.
func TestDocumentedValues(t *testing.T) {
	doc, err := os.ReadFile("../../docs/values.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, table := range docTables(t, string(doc)) {
		for _, row := range table.rows {
			if len(table.columns) == 0 || !table.columns[len(table.columns)-1].back {
				continue
			}
			rows++
			t.Run(table.from.String()+" "+row[0], func(t *testing.T) { checkRow(t, table, row) })
		}
	}
	if rows < 60 {
		t.Errorf("only %d rows; were tables left out?", rows)
	}
}

func checkRow(t *testing.T, table docTable, row []string) {
	t.Helper()
	forms := map[packer.Format][]byte{table.from: docValue(t, row[1], table.from)}
	for i, column := range table.columns {
		cell := row[i+2]
		src, from, to := forms[table.from], table.from, column.from
		if column.back {
			src, from, to = forms[column.from], column.from, column.to
		}
		if src == nil {
			if cell != "" {
				t.Errorf("%s, of what has no form", cell)
			}
			continue
		}
		got, err := packer.Append(nil, to, src, from, packer.Options{})
		switch {
		case cell == "no form":
			if !errors.Is(err, packer.ErrUntranslatable) {
				t.Errorf("%v to %v: %q, %v", from, to, got, err)
			}
			continue
		case cell == "same":
			cell = row[1]
		}
		want := docValue(t, cell, to)
		if err != nil || string(got) != string(want) {
			t.Errorf("%v to %v: %q, %v, not %q", from, to, got, err, want)
		}
		if !column.back {
			forms[to] = got
		}
	}
	checkForms(t, forms, table.from == packer.EDN || table.from == packer.JSON)
}

// docValue is the value in a cell of code.
func docValue(t *testing.T, cell string, f packer.Format) []byte {
	t.Helper()
	code := strings.Trim(cell, "`")
	if cell != "`"+code+"`" {
		t.Fatalf("no code: %s", cell)
	}
	if f != packer.Msgpack {
		return []byte(code)
	}
	b, err := hex.DecodeString(code)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// checkForms takes every form of a row directly to every other format. What comes out can be read,
// is copied as it is, and, where edn holds all of the value, is what the way by edn makes of it.
func checkForms(t *testing.T, forms map[packer.Format][]byte, viaEDN bool) {
	t.Helper()
	for from, src := range forms {
		for _, to := range formats {
			there, err := packer.Append(nil, to, src, from, packer.Options{})
			if errors.Is(err, packer.ErrUntranslatable) {
				continue
			}
			again, errAgain := packer.Append(nil, to, there, to, packer.Options{})
			if err != nil || errAgain != nil || string(again) != string(there) {
				t.Errorf("%v %q to %v: %q, %v; copied: %q, %v", from, src, to, there, err, again, errAgain)
			}
			if !viaEDN || from == to {
				continue
			}
			edn, _ := packer.Append(nil, packer.EDN, src, from, packer.Options{}) // shows below
			by, err := packer.Append(nil, to, edn, packer.EDN, packer.Options{})
			if string(by) != string(there) {
				t.Errorf("%v %q to %v: %q, but by edn %q, %v", from, src, to, there, by, err)
			}
		}
	}
}
