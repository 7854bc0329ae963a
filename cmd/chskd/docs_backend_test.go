package main_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// docs/backend.md says what the backend API does. It is held to it:
//
//	docs_backend_test.go  its tables against the source
//	docs_play_test.go     its examples against a running daemon
//	docs_shape_test.go    reading it, and comparing what differs each time

// TestDocsBackend runs the examples of docs/backend.md.
func TestDocsBackend(t *testing.T) {
	t.Parallel()
	doc := readDoc(t, docBackend)
	p := &docPlay{T: t, clients: map[string]*docClient{}, codes: docCodes(t, doc)}
	for _, b := range doc.blocks("console") {
		p.block(b)
	}
	p.endDaemon()
}

// docCode is a row of the table of errors.
type docCode struct {
	statuses []int // none: it is said on lines only
}

func docCodes(t *testing.T, d *doc) map[string]docCode {
	t.Helper()
	codes := map[string]docCode{}
	for _, row := range d.rows(t, "| code | HTTP | what is wrong | what to do |") {
		c := docCode{}
		for _, s := range regexp.MustCompile(`\d+`).FindAllString(row[1], -1) {
			n, err := strconv.Atoi(s)
			if err != nil {
				t.Fatal(err)
			}
			c.statuses = append(c.statuses, n)
		}
		name := strings.Trim(row[0], "`")
		if _, twice := codes[name]; twice {
			t.Errorf("%s is in the table twice", name)
		}
		codes[name] = c
	}
	return codes
}

// TestDocsErrors: the table of errors has each code of the backend package, with its statuses, and
// no other.
func TestDocsErrors(t *testing.T) {
	t.Parallel()
	documented, real := docCodes(t, readDoc(t, docBackend)), sourceCodes(t)
	for code, statuses := range real {
		slices.Sort(statuses)
		statuses = slices.Compact(statuses)
		if statuses[0] == 0 {
			statuses = statuses[1:]
		}
		if d, in := documented[code]; !in {
			t.Errorf("the table of errors has no row for %s", code)
		} else if !slices.Equal(d.statuses, statuses) {
			t.Errorf("%s: statuses %v in the table, %v in the source", code, d.statuses, statuses)
		}
	}
	for code := range documented {
		if _, in := real[code]; !in {
			t.Errorf("no source has the code %s of the table", code)
		}
	}
	if len(real) < 20 {
		t.Errorf("only these codes were found in the source: %v", slices.Collect(maps.Keys(real)))
	}
}

// sourceCodes finds the codes of all errors that the backend package makes, with their statuses;
// 0 is an error that is only ever said on lines.
//
//	bad("code", ...)           400
//	fail(status, "code", ...)  status
//	streamFormat(x, "code")    400
//	c.refuse("code", ...)      0, and so cutFor
//	code := "code", e.Code =   as its function's fail, or 400
func sourceCodes(t *testing.T) map[string][]int {
	t.Helper()
	codes := map[string][]int{}
	note := func(status int, code ast.Expr) {
		switch c := code.(type) {
		case *ast.BasicLit:
			name, err := strconv.Unquote(c.Value)
			if err != nil {
				t.Fatal(err)
			}
			codes[name] = append(codes[name], status)
		case *ast.BinaryExpr: // "bad_"+fieldNames[json], of content
			codes["bad_event"] = append(codes["bad_event"], status)
			codes["bad_value"] = append(codes["bad_value"], status)
		case *ast.Ident: // a variable; its values are noted where they are given to it
		default:
			t.Errorf("a code is neither a literal nor a variable: %T", code)
		}
	}
	for _, file := range backendFiles(t, token.NewFileSet(), "*.go") {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				switch nameOf(n.Fun) {
				case "bad":
					note(http.StatusBadRequest, n.Args[0])
				case "fail":
					if len(n.Args) > 3 || isStatus(n.Args[0]) {
						note(statusOf(t, n.Args[0]), n.Args[1])
					}
				case "streamFormat":
					note(http.StatusBadRequest, n.Args[1])
				case "refuse", "cutFor":
					note(0, n.Args[0])
				}
			case *ast.AssignStmt:
				switch nameOf(n.Lhs[0]) {
				case "code": // of unavailable
					if _, text := n.Rhs[0].(*ast.BasicLit); text {
						note(http.StatusServiceUnavailable, n.Rhs[0])
					}
				case "Code":
					if _, text := n.Rhs[0].(*ast.BasicLit); text {
						note(http.StatusBadRequest, n.Rhs[0])
					}
				}
			}
			return true
		})
	}
	return codes
}

func backendFiles(t *testing.T, fset *token.FileSet, pattern string) (files []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("../../backend", pattern))
	if err != nil || paths == nil {
		t.Fatal("no sources", err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// isStatus tells the fail that makes an error from a method of the same name.
func isStatus(e ast.Expr) bool {
	lit, number := e.(*ast.BasicLit)
	return number && lit.Kind == token.INT || strings.HasPrefix(nameOf(e), "Status")
}

// statusOf is a status that is written as a number, or by net/http's name.
func statusOf(t *testing.T, e ast.Expr) int {
	t.Helper()
	if lit, ok := e.(*ast.BasicLit); ok {
		n, err := strconv.Atoi(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for n := 100; n < 600; n++ {
		text := strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(n))
		if text != "" && nameOf(e) == "Status"+text {
			return n
		}
	}
	t.Fatalf("%s is no status of net/http", nameOf(e))
	return 0
}

// TestDocsVerbs: each path of the HTTP dialect is named, and each op of the lines is in an example,
// of the guide and of the reference.
func TestDocsVerbs(t *testing.T) {
	t.Parallel()
	for _, path := range []string{docBackend, docAPI} {
		docVerbs(t, path, strings.Join(readDoc(t, path).lines, "\n"))
	}
}

func docVerbs(t *testing.T, path, text string) {
	t.Helper()
	for _, of := range []struct{ file, names, said string }{
		{"routes.go", `"(/[^"]+)": +\{http\.Method`, "[ `]%s`"},
		{"line.go", `"([a-z]+)": +\{.*\(\*lineConn\)`, `\n> \{"op":"%s"`},
	} {
		source, err := os.ReadFile(filepath.Join("../../backend", of.file))
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(of.names).FindAllSubmatch(source, -1)
		if len(names) < 10 {
			t.Errorf("only %d names were found in %s", len(names), of.file)
		}
		for _, m := range names {
			said := fmt.Sprintf(of.said, regexp.QuoteMeta(string(m[1])))
			if !regexp.MustCompile(said).MatchString(text) {
				t.Errorf("%s of %s is not in %s", m[1], of.file, path)
			}
		}
	}
}

// TestDocsLimits: the table of limits gives each bound of the backend package that it names.
func TestDocsLimits(t *testing.T) {
	t.Parallel()
	values := sourceLimits(t)
	for _, row := range readDoc(t, docBackend).rows(t, "| limit | value | over it | option, or name in the source |") {
		name := strings.Trim(row[3], "`")
		if strings.HasPrefix(name, "--") {
			name = optionLimits[name]
		}
		if strings.Contains(name, ".") || name == "" { // of another package
			if name == "" {
				t.Errorf("%s: whose limit is %s?", row[0], row[3])
			}
			continue
		}
		v, known := values[name]
		if !known {
			t.Errorf("%s: the backend package has no %s", row[0], name)
		} else if got := documentedValue(t, row[1]); got != v {
			t.Errorf("%s: %s in the table is %d, %s is %d", row[0], row[1], got, name, v)
		}
	}
}

// optionLimits are the defaults of options.
var optionLimits = map[string]string{
	"--api-max-line": "MaxLineDefault", "--api-stall-ms": "StallDefault",
	"--backend-queue-events": "QueueEventsDefault", "--backend-queue-bytes": "QueueBytesDefault",
	"--backend-hold-ms": "HoldMaxDefault", "--backend-ack-timeout-ms": "AckTimeoutDefault",
}

// sourceLimits gives the constants of the files that hold the bounds; times in nanoseconds.
func sourceLimits(t *testing.T) map[string]int64 {
	t.Helper()
	fset := token.NewFileSet()
	info := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := info.Check("backend", fset, backendFiles(t, fset, "*limits.go"), nil)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]int64{}
	for _, name := range pkg.Scope().Names() {
		if c, ok := pkg.Scope().Lookup(name).(*types.Const); ok {
			values[name], _ = constant.Int64Val(c.Val())
		}
	}
	return values
}

var documentedUnits = map[string]int64{
	"": 1, "bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20,
	"ms": 1e6, "s": 1e9, "min": 60e9, "h": 3600e9,
}

// documentedValue reads "32,768", "16 MiB", "10 s".
func documentedValue(t *testing.T, text string) int64 {
	t.Helper()
	number, unit, _ := strings.Cut(text, " ")
	n, err := strconv.ParseInt(strings.ReplaceAll(number, ",", ""), 10, 64)
	if err != nil || documentedUnits[unit] == 0 {
		t.Fatalf("%q is no limit, %v", text, err)
	}
	return n * documentedUnits[unit]
}
