package demo

import "embed"

//go:embed web
var web embed.FS

// pages is everything that the demo serves: request path to file and media type.
var pages = map[string]struct{ file, contentType string }{
	"/":         {"web/index.html", "text/html; charset=utf-8"},
	"/demo.js":  {"web/demo.js", "text/javascript; charset=utf-8"},
	"/chsk.js":  {"web/chsk.js", "text/javascript; charset=utf-8"},
	"/edn.js":   {"web/edn.js", "text/javascript; charset=utf-8"},
	"/demo.css": {"web/demo.css", "text/css; charset=utf-8"},
	"/icon.svg": {"web/icon.svg", "image/svg+xml"},
}

// Page gives the demo's file for a request path (without the query), and its media type; ok is
// false for every other path. The body belongs to the caller. Any goroutine.
func Page(path string) (contentType string, body []byte, ok bool) {
	p, ok := pages[path]
	if !ok {
		return "", nil, false
	}
	body, err := web.ReadFile(p.file)
	if err != nil {
		panic("demo: " + p.file + " is not embedded")
	}
	return p.contentType, body, true
}
