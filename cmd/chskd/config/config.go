package config

import (
	"net/netip"
	"reflect"
	"time"
)

// Config is every option of `chskd serve`. The tag key is a key's name in its section; what it
// means and which values it takes is in the table of keys.
//
// A Config that Load returned is valid: every value is in its bounds, and no two contradict.
type Config struct {
	Listen        string `key:"listen"`
	ReusePort     bool   `key:"reuse_port"`
	Path          string `key:"path"`
	APISocket     string `key:"api_socket"`
	MetricsListen string `key:"metrics_listen"`
	Loops         int    `key:"loops"` // 0 = one per CPU
	LogLevel      string `key:"log_level"`
	Demo          bool   `key:"demo"`
	DebugEcho     string `key:"debug_echo"`

	Packer         string   `key:"packer"`
	AllowedPackers []string `key:"allowed_packers"` // [all] or names

	Auth           []string `key:"auth"` // in the order in which they are asked
	Insecure       bool     `key:"insecure"`
	AllowedOrigins []string `key:"allowed_origins"`
	HandshakeData  string   `key:"handshake_data"`
	ExpiryNotice   Duration `key:"expiry_notice"`

	CSRF   CSRF   `key:"csrf" section:"csrf_"`
	JWT    JWT    `key:"jwt" section:"jwt_"`
	Hook   Hook   `key:"hook" section:"hook_"`
	Header Header `key:"header" section:"header_"`

	TrustedProxies []netip.Prefix `key:"trusted_proxies"`
	ProxyProtocol  bool           `key:"proxy_protocol"`
	AllowAddresses []netip.Prefix `key:"allow_addresses"`
	DenyAddresses  []netip.Prefix `key:"deny_addresses"`

	MaxConns                         int      `key:"max_conns"`
	MaxConnsPerAddress               int      `key:"max_conns_per_address"`
	MaxSessionsPerUser               int      `key:"max_sessions_per_user"`
	MaxHandshakesPerSecond           int      `key:"max_handshakes_per_second"`
	MaxHandshakesPerSecondPerAddress int      `key:"max_handshakes_per_second_per_address"`
	MaxEventsPerSecond               int      `key:"max_events_per_second"`
	MaxEventBytesPerSecond           Size     `key:"max_event_bytes_per_second"`
	OnEventLimit                     string   `key:"on_event_limit"`
	MaxHeadBytes                     Size     `key:"max_head_bytes"`
	MaxMessageBytes                  Size     `key:"max_message_bytes"`
	MaxOutBytes                      Size     `key:"max_out_bytes"`
	MaxFragments                     int      `key:"max_fragments"`
	HeadTimeout                      Duration `key:"head_timeout"`
	IdleTimeout                      Duration `key:"idle_timeout"`
	MemoryLimit                      Size     `key:"memory_limit"` // 0 = by the cgroup

	WSKaliveMs      Millis `key:"ws_kalive_ms"`
	WSPingTimeoutMs Millis `key:"ws_ping_timeout_ms"`
	LPTimeoutMs     Millis `key:"lp_timeout_ms"`
	SendBufMsWS     Millis `key:"send_buf_ms_ws"`
	SendBufMsAjax   Millis `key:"send_buf_ms_ajax"`
	ReconnectMsWS   Millis `key:"ms_allow_reconnect_before_close_ws"`
	ReconnectMsAjax Millis `key:"ms_allow_reconnect_before_close_ajax"`

	SessionKeepMs Millis `key:"session_keep_ms"`
	Redelivery    string `key:"redelivery"`
	OnGap         string `key:"on_gap"`
	DrainMs       Millis `key:"drain_ms"`

	APIAllowUIDs        []uint32 `key:"api_allow_uids"`
	APIMaxLine          Size     `key:"api_max_line"`
	APIStallMs          Millis   `key:"api_stall_ms"`
	BackendOnFull       string   `key:"backend_on_full"`
	BackendQueueEvents  int      `key:"backend_queue_events"`
	BackendQueueBytes   Size     `key:"backend_queue_bytes"`
	BackendHoldMs       Millis   `key:"backend_hold_ms"`
	BackendAckTimeoutMs Millis   `key:"backend_ack_timeout_ms"`

	from     map[string]source // where the keys that are not defaults come from
	file     *document         // nil = there was no file
	loose    []string          // secret files that others may read
	unknowns []string          // CHSKD_ variables that name no key
}

// CSRF is the section csrf. After Load Token is also what TokenFile holds.
type CSRF struct {
	Token     Secret `key:"token"`
	TokenFile string `key:"token_file"`
	Cookie    string `key:"cookie"`
}

// JWT is the section jwt. After Load Secret is also what SecretFile holds.
type JWT struct {
	Secret         Secret       `key:"secret"`
	SecretFile     string       `key:"secret_file"`
	KeysFile       string       `key:"keys_file"`
	JWKSURL        string       `key:"jwks_url"`
	JWKSRefresh    Duration     `key:"jwks_refresh"`
	Algorithms     []string     `key:"algorithms"`
	Issuer         string       `key:"issuer"`
	Audience       string       `key:"audience"`
	Leeway         Duration     `key:"leeway"`
	From           []TokenPlace `key:"from"`
	UIDClaim       string       `key:"uid_claim"`
	TenantClaim    string       `key:"tenant_claim"`
	TopicsClaim    string       `key:"topics_claim"`
	HandshakeClaim string       `key:"handshake_claim"`
	CSRFClaim      string       `key:"csrf_claim"`
	RevokeFor      Duration     `key:"revoke_for"`
}

// Hook is the section hook. After Load Secret is also what SecretFile holds.
type Hook struct {
	URL        HookURL  `key:"url"`
	Timeout    Duration `key:"timeout"`
	Workers    int      `key:"workers"`
	Queue      int      `key:"queue"`
	Cache      Duration `key:"cache"`
	Secret     Secret   `key:"secret"`
	SecretFile string   `key:"secret_file"`
}

// Header is the section header: names of fields of requests.
type Header struct {
	UID    string `key:"uid"`
	Tenant string `key:"tenant"`
}

// Default gives the options of a daemon that was told nothing.
func Default() *Config {
	return &Config{
		Listen: "127.0.0.1:8080", Path: "/chsk", LogLevel: "info",
		Packer: "edn", AllowedPackers: []string{"all"},
		Auth: []string{"client"}, ExpiryNotice: Duration(30 * time.Second),
		JWT: JWT{
			JWKSRefresh: Duration(5 * time.Minute), Leeway: Duration(10 * time.Second),
			From: []TokenPlace{{Kind: FromAuthorization}}, UIDClaim: "sub",
			RevokeFor: Duration(24 * time.Hour),
		},
		Hook: Hook{Timeout: Duration(2 * time.Second), Workers: 64, Queue: 1024,
			Cache: Duration(10 * time.Second)},
		MaxSessionsPerUser: 1000, OnEventLimit: "drop",
		MaxHeadBytes: 16 << 10, MaxMessageBytes: 1 << 20, MaxOutBytes: 256 << 10, MaxFragments: 1024,
		HeadTimeout: Duration(10 * time.Second), IdleTimeout: Duration(75 * time.Second),
		WSKaliveMs: 25000, WSPingTimeoutMs: 10000, LPTimeoutMs: 20000,
		SendBufMsWS: 30, SendBufMsAjax: 100, ReconnectMsWS: 2500, ReconnectMsAjax: 5000,
		SessionKeepMs: 60000, Redelivery: "tcp", OnGap: "notice", DrainMs: 10000,
		APIMaxLine: 1 << 20, APIStallMs: 30000,
		BackendOnFull: "hold", BackendQueueEvents: 32768, BackendQueueBytes: 16 << 20,
		BackendHoldMs: 60000, BackendAckTimeoutMs: 60000,
	}
}

// Changed says whether a key has another value than its default.
func (c *Config) Changed(path string) bool {
	k := keyNamed(path)
	return !reflect.DeepEqual(k.value(c).Interface(), k.value(Default()).Interface())
}

// Name is how the user knows a key: as the flag, the variable or the key of the file that gave it.
// One that nothing gave is named as a key when there is a file, else as a flag.
func (c *Config) Name(path string) string {
	k := keyNamed(path)
	switch from, given := c.from[path]; {
	case given:
		return from.name
	case c.file != nil:
		return k.Path
	}
	return "--" + k.Flag()
}

// written is how the user writes a value for a key, where the key stands now.
func (c *Config) written(path, value string) string {
	k, name := keyNamed(path), c.Name(path)
	switch {
	case name == k.Path && k.List():
		return name + ": [" + value + "]"
	case name == k.Path:
		return name + ": " + value
	case name == k.Env():
		return name + "=" + value
	case k.Type() == "bool" && value == "true":
		return name
	}
	return name + " " + value
}

// Given says whether a file, a variable or a flag named the key.
func (c *Config) Given(path string) bool {
	_, given := c.from[path]
	return given
}

// source is where a value comes from.
type source struct {
	name string // of the key, variable or flag
	flag bool
	at   position // in the file; zero = not from the file
}
