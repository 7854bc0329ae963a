package backend

import (
	_ "embed"
	"net/http"
	"net/url"
	"strconv"
)

// openAPIFile describes the HTTP dialect (OpenAPI 3.1). It is written by hand; the tests hold it
// against the routes, the codec and the answers, and send its examples.
//
//go:embed openapi.json
var openAPIFile []byte

func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request, _ url.Values) *Error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(openAPIFile)))
	// A peer that is gone is seen by net/http too, and there is nobody left to tell.
	_, _ = w.Write(openAPIFile)
	return nil
}
