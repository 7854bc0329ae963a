package config

import "strings"

func join(names []string) string { return strings.Join(names, ", ") }

// Modes are the auth modes, those that may pass a request on before those that always decide.
var modes = []string{"jwt", "header", "hook", "client", "anonymous", "dev"}

var identity = []*Key{
	{Path: "auth", Example: "jwt,anonymous", OneOf: modes,
		Doc: "who a client is, by the first of these modes that applies: jwt (a signed token), header " +
			"(a trusted proxy says), hook (the application says), client (uid = client-id), anonymous " +
			"(no uid), dev (uid = parameter uid)"},
	{Path: "insecure", Example: "true",
		Doc: "let auth modes client and dev listen on other than loopback addresses"},
	{Path: "allowed_origins", Example: "https://example.com,https://app.example.com",
		Doc: "origins that pages may come from: all, or a list as https://example.com (default: the " +
			"same origin, or none)",
		form: origin, write: "all, or origins as https://example.com"},
	{Path: "handshake_data", Example: "{:version 2}",
		Doc:  "edn value that every client gets with its handshake",
		form: ednValue, write: "one edn value, as {:version 2}"},
	{Path: "expiry_notice", Example: "1m", Most: day,
		Doc: "so long before an identity expires its WebSocket is told [:chskd/expiring {:ms n}]; at " +
			"the end it is closed with 4401; 0 = no notice"},
}

var csrfKeys = []*Key{
	{Path: "csrf.token", Example: "oA3kX9...",
		Doc:  "reference CSRF token that every request must carry (default: no check)",
		form: line, write: "a text without control characters"},
	{Path: "csrf.token_file", Example: "/etc/chskd/csrf-token",
		Doc:  "file that has the token",
		form: filePath, write: secretFile},
	{Path: "csrf.cookie", Example: "csrf-token",
		Doc: "name of the cookie that has the reference token (double submit): a request must carry " +
			"the same value as a parameter or a field",
		form: fieldName, write: "the name of a cookie, as csrf-token"},
}

const (
	secretFile = "the path of a file that has the secret"
	claim      = "the name of a claim, as sub"
	fieldWant  = "the name of a field of requests, as X-User"
)

// algorithms are those of RFC 7518 §3.1 and RFC 8037 that can be checked; "none" is not one.
var algorithms = []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512",
	"PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

var jwtKeys = []*Key{
	{Path: "jwt.secret", Example: "0123456789abcdef0123456789abcdef",
		Doc:  "key of HS256, HS384 and HS512, 32 bytes or more",
		form: line, write: "a text without control characters"},
	{Path: "jwt.secret_file", Example: "/etc/chskd/jwt-secret",
		Doc:  "file that has that key",
		form: filePath, write: secretFile},
	{Path: "jwt.keys_file", Example: "/etc/chskd/jwt.pem",
		Doc:  "file of public keys: PEM, JWK or JWKS",
		form: filePath, write: "the path of a file of keys, as /etc/chskd/jwt.pem"},
	{Path: "jwt.jwks_url", Example: "https://login.example.com/.well-known/jwks.json",
		Doc:  "where a JWKS is fetched from, at the start and then now and again",
		form: webURL, write: "a URL, as https://login.example.com/.well-known/jwks.json"},
	{Path: "jwt.jwks_refresh", Example: "15m", Least: 10_000, Most: day,
		Doc: "how often the JWKS is fetched again; the last good one counts while that fails"},
	{Path: "jwt.algorithms", Example: "ES256,EdDSA", OneOf: algorithms,
		Doc: "algorithms that are taken (default: all that fit the keys)"},
	{Path: "jwt.issuer", Example: "https://login.example.com/",
		Doc:  "what the claim iss must be (default: not looked at)",
		form: line, write: "the value of the claim iss"},
	{Path: "jwt.audience", Example: "chat",
		Doc:  "what the claim aud must have (default: not looked at)",
		form: line, write: "a value of the claim aud"},
	{Path: "jwt.leeway", Example: "1m", Most: 10 * minute,
		Doc: "by how much clocks may differ"},
	{Path: "jwt.from", Example: "authorization,cookie:session",
		Doc: "where the token is looked for, in this order: authorization (Bearer), cookie:NAME, " +
			"query:NAME, protocol (an entry of Sec-WebSocket-Protocol)",
		write: "some of authorization, cookie:NAME, query:NAME, protocol"},
	{Path: "jwt.uid_claim", Example: "email",
		Doc: "claim that has the uid", form: line, write: claim},
	{Path: "jwt.tenant_claim", Example: "org",
		Doc: "claim that has the tenant (default: none)", form: line, write: claim},
	{Path: "jwt.topics_claim", Example: "rooms",
		Doc: "claim that has the topics that a session joins (default: none)", form: line, write: claim},
	{Path: "jwt.handshake_claim", Example: "profile",
		Doc: "claim that goes to the client with its handshake (default: none)", form: line, write: claim},
	{Path: "jwt.csrf_claim", Example: "csrf",
		Doc: "claim that has the reference CSRF token (default: none)", form: line, write: claim},
	{Path: "jwt.revoke_for", Example: "1h", Least: 1000, Most: 366 * day,
		Doc: "how long a revocation lasts: as long as the longest-lived token"},
}

var hookKeys = []*Key{
	{Path: "hook.url", Example: "http://127.0.0.1:3000/chskd",
		Doc: "who is asked who a client is, by POST: http://host:port/path, https://host/path or " +
			"unix:/path/of.sock:/path",
		write: "http://host:port/path, https://host/path or unix:/path/of.sock:/path"},
	{Path: "hook.timeout", Example: "500ms", Least: 10, Most: minute,
		Doc: "how long an answer is waited for; then 503"},
	{Path: "hook.workers", Example: "16", Least: 1, Most: 4096,
		Doc: "questions asked at once"},
	{Path: "hook.queue", Example: "256", Least: 1, Most: 1 << 20,
		Doc: "questions that wait; over it 503"},
	{Path: "hook.cache", Example: "1m", Most: hour,
		Doc: "how long an answer is remembered, at most until it expires; 0 = not at all"},
	{Path: "hook.secret", Example: "oA3kX9...",
		Doc:  "sent with every question as the field Chskd-Secret",
		form: line, write: "a text without control characters"},
	{Path: "hook.secret_file", Example: "/etc/chskd/hook-secret",
		Doc:  "file that has that secret",
		form: filePath, write: secretFile},
}

var headerKeys = []*Key{
	{Path: "header.uid", Example: "X-User",
		Doc:  "field in which a trusted proxy says the uid",
		form: fieldName, write: fieldWant},
	{Path: "header.tenant", Example: "X-Tenant",
		Doc:  "field in which a trusted proxy says the tenant (default: none)",
		form: fieldName, write: fieldWant},
}
