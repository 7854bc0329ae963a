// Package chskd_test holds the rules of the tree that no linter knows.
package chskd_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/chskd/chskd/"

// edges are the imports that are allowed between our packages. No edge goes up or
// sideways: pure packages do not know each other, engine and backend never meet.
var edges = map[string][]string{
	"arena": nil, "deadline": nil, "bufpool": nil, "mailbox": nil, "metrics": nil, "rate": nil, "proxyproto": nil,
	"admit":   {"rate"},
	"httpmin": nil, "wsframe": nil, "packer": nil, "auth": nil,
	"auth/jwt":      {"auth", "packer"},
	"auth/hook":     {"auth", "packer"},
	"auth/verifier": {"auth", "auth/hook"},
	"shard":    {"arena", "deadline"},
	"longpoll": {"deadline"},
	"engine": {"admit", "arena", "auth", "bufpool", "deadline", "httpmin", "longpoll", "mailbox",
		"metrics", "packer", "proxyproto", "rate", "shard", "wsframe"},
	"backend": {"packer"},
	"bench":   {"packer", "wsframe"},
	"bench/check": {"internal/count"},
	"bench/million": {"wsframe"},
	"client":  nil,
	"cmd/chskd": {"admit", "auth", "auth/hook", "auth/jwt", "auth/verifier", "backend", "bench", "cmd/chskd/config", "cmd/chskd/demo", "cmd/chskd/prom",
		"engine", "mailbox", "packer"},
	"cmd/chskd/config": {"packer"},
	"cmd/chskd/demo": nil,
	"cmd/chskd/prom": {"auth/verifier", "backend", "engine", "metrics", "packer"},
	"fuzz":           {"backend", "httpmin", "packer", "proxyproto", "wsframe"},
	"packer/oracle":  nil,

	"examples/chat-go": {"client"},

	// No package may import it: only tests do.
	"internal/count":      nil,
	"internal/daemontest": nil,
	"internal/wirecases":  {"httpmin", "wsframe"},
}

// mayShare are the packages that may use sync, sync/atomic and channels; all others
// have one owner for their state.
var mayShare = []string{"mailbox", "bufpool", "metrics", "admit", "backend", "client", "cmd/chskd", "cmd/chskd/demo",
	"cmd/chskd/prom", "bench", "bench/million", "internal/daemontest", "auth/jwt", "auth/hook", "auth/verifier"}

// mayStart are the packages that may start goroutines.
var mayStart = []string{"auth/jwt", "auth/verifier", "backend", "client", "cmd/chskd", "cmd/chskd/demo", "bench", "bench/million",
	"internal/daemontest"}

// source is one parsed file of ours.
type source struct {
	path, pkg string
	test      bool
	file      *ast.File
	lines     int
}

func sources(t *testing.T) (*token.FileSet, []source) {
	t.Helper()
	fset := token.NewFileSet()
	var out []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "rivals" || d.Name() == "node_modules" || d.Name() == "testdata" ||
			(strings.HasPrefix(d.Name(), ".") && path != ".")) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		out = append(out, source{path: path, pkg: filepath.ToSlash(filepath.Dir(path)),
			test: strings.HasSuffix(path, "_test.go"), file: file, lines: strings.Count(string(text), "\n")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 50 {
		t.Fatalf("only %d files found; is this the root?", len(out))
	}
	return fset, out
}

func TestImportEdges(t *testing.T) {
	_, files := sources(t)
	for _, s := range files {
		if s.test || s.pkg == "." {
			continue
		}
		allowed, known := edges[s.pkg]
		if !known {
			t.Errorf("%s: package %s is not in the table of edges; give it a reason in ARCHITECTURE.md and a row here", s.path, s.pkg)
		}
		for _, imp := range s.file.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			if to, ours := strings.CutPrefix(path, module); ours && !slices.Contains(allowed, to) {
				t.Errorf("%s imports %s; allowed from %s: %v", s.path, to, s.pkg, allowed)
			}
			if strings.HasPrefix(path, "github.com/panjf2000/gnet") && s.pkg != "engine" {
				t.Errorf("%s imports gnet; only engine may", s.path)
			}
		}
	}
}

func TestOneOwner(t *testing.T) {
	fset, files := sources(t)
	for _, s := range files {
		if s.test || s.pkg == "." {
			continue
		}
		share := slices.Contains(mayShare, s.pkg)
		for _, imp := range s.file.Imports {
			if p := imp.Path.Value; !share && (p == `"sync"` || p == `"sync/atomic"`) {
				t.Errorf("%s imports %s; its state has one owner and needs no lock", s.path, p)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.ChanType:
				if !share {
					t.Errorf("%s: a channel in a package whose state has one owner", fset.Position(x.Pos()))
				}
			case *ast.GoStmt:
				if !slices.Contains(mayStart, s.pkg) {
					t.Errorf("%s: a go statement outside %v", fset.Position(x.Pos()), mayStart)
				}
			case *ast.SelectorExpr:
				if strings.HasPrefix(x.Sel.Name, "AsyncWrite") {
					t.Errorf("%s: AsyncWrite keeps our slice and does not keep order", fset.Position(x.Pos()))
				}
			}
			return true
		})
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	fset, files := sources(t)
	packageDoc := map[string]bool{}
	for _, s := range files {
		if s.file.Doc != nil {
			packageDoc[s.pkg] = true
		}
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			for _, undocumented := range missingDocs(d) {
				t.Errorf("%s: %s has no doc comment", fset.Position(undocumented.Pos()), undocumented.Name)
			}
		}
	}
	for pkg := range edges {
		if !packageDoc[pkg] {
			t.Errorf("package %s has no package comment (doc.go)", pkg)
		}
	}
}

// missingDocs lists the exported names that d declares without a comment.
func missingDocs(d ast.Decl) (names []*ast.Ident) {
	switch x := d.(type) {
	case *ast.FuncDecl:
		if x.Name.IsExported() && x.Doc == nil && exportedReceiver(x) {
			names = append(names, x.Name)
		}
	case *ast.GenDecl:
		for _, spec := range x.Specs {
			switch sp := spec.(type) {
			case *ast.TypeSpec:
				if sp.Name.IsExported() && sp.Doc == nil && x.Doc == nil {
					names = append(names, sp.Name)
				}
			case *ast.ValueSpec:
				for _, n := range sp.Names {
					if n.IsExported() && sp.Doc == nil && sp.Comment == nil && x.Doc == nil {
						names = append(names, n)
					}
				}
			}
		}
	}
	return names
}

func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if index, ok := t.(*ast.IndexExpr); ok {
		t = index.X
	}
	id, ok := t.(*ast.Ident)
	return ok && id.IsExported()
}

func TestSizes(t *testing.T) {
	const fileMax, funcMax = 600, 110
	fset, files := sources(t)
	for _, s := range files {
		if s.lines > fileMax {
			t.Errorf("%s has %d lines; something of its own is hiding in it", s.path, s.lines)
		}
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := fset.Position(f.End()).Line - fset.Position(f.Pos()).Line; n > funcMax {
				t.Errorf("%s: %s has %d lines", fset.Position(f.Pos()), f.Name.Name, n)
			}
		}
	}
}
