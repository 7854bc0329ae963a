package auth

import "bytes"

// safeSite says whether a request that a browser authenticates by itself was made by
// a page that may: cookies go with a request whatever page causes it. It is the
// defence of requests that no CSRF token of their user protects, beside the check of
// Origin. (csrf.token is the same for everybody: who gets it for one page can write
// it into another.)
//
// A page whose origin is listed by name may; `all` does not cover credentials, as the
// `*` of CORS does not (Fetch §3.3.4). Else the browser says where the request comes
// from (Fetch Metadata §2.2, since 2019 to 2023): the same origin, or the user's own
// hand, which types addresses, and so causes neither POSTs nor upgrades. The site of
// the same registered domain is not enough: its other hosts may be anybody's.
//
// A browser that is older says where it comes from by Origin or Referer. Browsers
// that send a POST or an upgrade without either are so few that a request with
// credentials of theirs is refused (OWASP); a program that has cookies can say an
// Origin. A GET without either may pass: its answer cannot be read by another page.
func (c *Checker) safeSite(r *Request) bool {
	if len(c.cookie) > 0 || c.origins.names(r.Origin) {
		return true
	}
	switch string(r.SecFetchSite) {
	case "same-origin":
		return true
	case "none":
		return !r.Post && r.Ajax
	case "":
	default:
		return false
	}
	if r.SecFetchSite != nil {
		return false // present and empty: no browser writes it
	}
	if r.Origin == nil && r.Referer == nil {
		return !r.Post && r.Ajax || !ambient(r)
	}
	return !c.origins.all || sameOrigin(r)
}

// ambient says whether r has credentials that browsers send by themselves: cookies,
// and those of Authorization except Bearer, which only scripts set.
func ambient(r *Request) bool {
	return len(bytes.TrimSpace(r.Cookie)) > 0 ||
		len(r.Authorization) > 0 && bearer(r.Authorization) == nil
}
