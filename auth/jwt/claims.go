package jwt

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	jwt5 "github.com/golang-jwt/jwt/v5"

	"github.com/chskd/chskd/auth"
	"github.com/chskd/chskd/packer"
)

// timeMax is the last second of the year 9999: what is later is a time in milliseconds,
// or meant to overflow something.
const timeMax = 253402300799

// claims are those of a token. It is a jwt5.Claims, for its validator.
type claims struct {
	all      map[string]json.RawMessage
	exp, nbf *jwt5.NumericDate
	issued   *jwt5.NumericDate
	iat      int64 // s, 0 = not said
	expMs    int64 // ms, 0 = never
	iss      string
	aud      jwt5.ClaimStrings
}

// GetExpirationTime implements jwt5.Claims.
func (c *claims) GetExpirationTime() (*jwt5.NumericDate, error) { return c.exp, nil }

// GetIssuedAt implements jwt5.Claims.
func (c *claims) GetIssuedAt() (*jwt5.NumericDate, error) { return c.issued, nil }

// GetNotBefore implements jwt5.Claims.
func (c *claims) GetNotBefore() (*jwt5.NumericDate, error) { return c.nbf, nil }

// GetIssuer implements jwt5.Claims.
func (c *claims) GetIssuer() (string, error) { return c.iss, nil }

// GetSubject implements jwt5.Claims; nobody asks for a certain one.
func (c *claims) GetSubject() (string, error) { return "", nil }

// GetAudience implements jwt5.Claims.
func (c *claims) GetAudience() (jwt5.ClaimStrings, error) { return c.aud, nil }

// readClaims reads what RFC 7519 §4.1 names. An iss or aud of another type is as none:
// it is not the configured one.
func readClaims(text []byte) (*claims, *Error) {
	all, e := object(text)
	if e != nil {
		return nil, e
	}
	c := &claims{all: all}
	for _, d := range [...]struct {
		name string
		to   **jwt5.NumericDate
		ms   *int64
	}{{"exp", &c.exp, &c.expMs}, {"nbf", &c.nbf, nil}, {"iat", &c.issued, nil}} {
		raw, has := all[d.name]
		if !has {
			continue
		}
		s, ok := seconds(raw)
		if !ok {
			return nil, errTime
		}
		*d.to = &jwt5.NumericDate{Time: time.UnixMilli(int64(s * 1000))}
		if d.ms != nil {
			*d.ms = int64(s * 1000)
		}
	}
	if c.issued != nil {
		c.iat = c.issued.Unix()
	}
	c.iss, _ = text1(all["iss"])
	if s, is := text1(all["aud"]); is {
		c.aud = jwt5.ClaimStrings{s}
	} else if list, ok := texts(all["aud"]); ok {
		c.aud = list
	}
	return c, nil
}

// seconds reads a NumericDate (RFC 7519 §2).
func seconds(raw json.RawMessage) (float64, bool) {
	if c := raw[0]; c < '0' || c > '9' {
		return 0, false // a text, null, or before 1970
	}
	s, err := strconv.ParseFloat(string(raw), 64)
	return s, err == nil && !math.IsInf(s, 0) && s <= timeMax
}

// texts reads an array of texts.
func texts(raw json.RawMessage) ([]string, bool) {
	if len(raw) == 0 || raw[0] != '[' {
		return nil, false
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return nil, false
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		s, is := text1(item)
		if !is {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

// checkTimes checks exp, nbf, iat, iss and aud. An iat to come is refused because a
// revocation would not reach it.
func (k *Keys) checkTimes(c *claims, now time.Time) *Error {
	options := []jwt5.ParserOption{jwt5.WithLeeway(k.conf.Leeway), jwt5.WithIssuedAt(),
		jwt5.WithTimeFunc(func() time.Time { return now })}
	if k.conf.Issuer != "" {
		options = append(options, jwt5.WithIssuer(k.conf.Issuer))
	}
	if k.conf.Audience != "" {
		options = append(options, jwt5.WithAudience(k.conf.Audience))
	}
	err := jwt5.NewValidator(options...).Validate(c)
	if err == nil {
		return nil
	}
	for _, is := range [...]struct {
		of error
		e  *Error
	}{
		{jwt5.ErrTokenInvalidIssuer, errIssuer}, {jwt5.ErrTokenInvalidAudience, errAudience},
		{jwt5.ErrTokenUsedBeforeIssued, errFuture}, {jwt5.ErrTokenNotValidYet, errEarly},
		{jwt5.ErrTokenExpired, errExpired},
	} {
		if errors.Is(err, is.of) {
			return is.e
		}
	}
	if k.conf.Issuer != "" && c.iss == "" {
		return errIssuer
	}
	return errAudience // required, and not there
}

// grant makes a grant of the claims. Those that the settings name and that say who it is,
// or protect it, must be there: without its tenant a user would be another one.
func (k *Keys) grant(c *claims) (*auth.Grant, *Error) {
	g := &auth.Grant{}
	var ok bool
	if g.UID, ok = id(c.all[k.conf.UIDClaim], claimMax); !ok {
		return nil, errUID
	}
	if name := k.conf.TenantClaim; name != "" {
		if g.Tenant, ok = id(c.all[name], tenantMax); !ok {
			return nil, errTenant
		}
	}
	if name := k.conf.CSRFClaim; name != "" {
		if g.CSRF, ok = text1(c.all[name]); !ok || g.CSRF == "" || len(g.CSRF) > claimMax {
			return nil, errCSRF
		}
	}
	if raw, has := c.all[k.conf.TopicsClaim]; has {
		if g.Topics, ok = topics(raw); !ok {
			return nil, errTopics
		}
	}
	if raw, has := c.all[k.conf.HandshakeClaim]; has {
		edn, err := packer.Append(nil, packer.EDN, raw, packer.JSON, packer.Options{})
		if err != nil {
			return nil, errHandshake
		}
		g.Handshake = edn
	}
	if c.exp != nil {
		g.Expires = c.expMs + k.conf.Leeway.Milliseconds()
	}
	return g, nil
}

// id reads a uid or a tenant: a text, or an integer as it is written. A number with a
// fraction or an exponent has several forms, so it would be several users.
func id(raw json.RawMessage, lenMax int) (string, bool) {
	if len(raw) == 0 {
		return "", false
	}
	s := string(raw)
	if raw[0] == '"' {
		// Half of a surrogate pair would be read as U+FFFD, by which users would meet.
		var is bool
		s, is = text1(raw)
		return s, is && s != "" && len(s) <= lenMax && !strings.ContainsRune(s, utf8.RuneError)
	}
	_, err := strconv.ParseInt(s, 10, 64)
	return s, err == nil && s != "-0"
}

// topics reads the names of topics.
func topics(raw json.RawMessage) ([]string, bool) {
	list, ok := texts(raw)
	if !ok || len(list) > topicsMax {
		return nil, false
	}
	for _, t := range list {
		if t == "" || len(t) > claimMax {
			return nil, false
		}
	}
	return list, true
}
