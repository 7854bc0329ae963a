package config

import (
	"net"
	"net/netip"
	"path"
	"slices"
	"strings"
)

// contradictions finds keys that are good by themselves and not together. Each is told once, at the
// key that is to be changed.
func (c *Config) contradictions() (problems Problems) {
	for _, rule := range []func(*Config) *Problem{
		packerAllowed, allAlone("allowed_packers"), allAlone("allowed_origins"), demoPath, echoPath,
		listenTwice, authOrder, jwtWithoutKeys, jwtSecretShort, jwtAlgorithms, hookWithoutURL,
		headerWithoutField, headerWithoutProxies, proxyProtocolWithoutProxies, selfNamed, keysFile,
	} {
		if p := rule(c); p != nil {
			problems = append(problems, p)
		}
	}
	return problems
}

// Asks says whether an auth mode is among those that are asked.
func (c *Config) Asks(mode string) bool { return slices.Contains(c.Auth, mode) }

func packerAllowed(c *Config) *Problem {
	if slices.Contains(c.AllowedPackers, "all") || slices.Contains(c.AllowedPackers, c.Packer) {
		return nil
	}
	return c.conflict("packer allowed_packers", "%s %s is not allowed by %s: add it there, or write %s and one of %s",
		c.Name("packer"), c.Packer, c.Name("allowed_packers"), c.Name("packer"), join(c.AllowedPackers))
}

func allAlone(path string) func(*Config) *Problem {
	return func(c *Config) *Problem {
		if list := keyNamed(path).value(c).Interface().([]string); len(list) == 1 ||
			!slices.Contains(list, "all") {
			return nil
		}
		return c.conflict(path, `%s "all": "all" stands alone; write it, or the list without it`,
			c.Name(path))
	}
}

func demoPath(c *Config) *Problem {
	if !c.Demo || c.Path == "/chsk" {
		return nil
	}
	return c.conflict("path demo", "%s with %s %s: the demo's page uses /chsk; leave %s out",
		c.Name("demo"), c.Name("path"), c.Path, c.Name("path"))
}

func echoPath(c *Config) *Problem {
	if c.DebugEcho == "" || !strings.HasPrefix(c.DebugEcho+"/", strings.TrimSuffix(c.Path, "/")+"/") {
		return nil
	}
	return c.conflict("debug_echo path", "%s %q: write a path that begins with / and is not below %s %s",
		c.Name("debug_echo"), c.DebugEcho, c.Name("path"), path.Clean(c.Path))
}

func listenTwice(c *Config) *Problem {
	if c.Listen != c.MetricsListen || strings.HasSuffix(c.Listen, ":0") {
		return nil
	}
	return c.conflict("metrics_listen listen", "%s is %s, where clients connect: write another port",
		c.Name("metrics_listen"), c.Listen)
}

// authOrder: client, anonymous, dev and hook always decide, so what comes after is never asked.
func authOrder(c *Config) *Problem {
	for i, mode := range c.Auth {
		if mode != "jwt" && mode != "header" && i < len(c.Auth)-1 {
			return c.conflict("auth", "%s: %s always decides, so %s is never asked: write %s last, or "+
				"leave %s out", c.Name("auth"), mode, c.Auth[i+1], mode, c.Auth[i+1])
		}
	}
	return nil
}

func (c *Config) hasJWTSecret() bool { return c.JWT.Secret != Secret{} }
func (c *Config) hasJWTPublic() bool { return c.JWT.KeysFile != "" || c.JWT.JWKSURL != "" }

func jwtWithoutKeys(c *Config) *Problem {
	if !c.Asks("jwt") || c.hasJWTSecret() || c.hasJWTPublic() {
		return nil
	}
	return c.conflict("auth", "%s has jwt, but there are no keys: write %s, %s or %s", c.Name("auth"),
		c.Name("jwt.secret_file"), c.Name("jwt.keys_file"), c.Name("jwt.jwks_url"))
}

// jwtSecretShort: a key of HMAC is at least as long as the hash (RFC 7518 §3.2).
func jwtSecretShort(c *Config) *Problem {
	if n := len(c.JWT.Secret.text); n == 0 || n >= 32 {
		return nil
	}
	where := "jwt.secret"
	if c.JWT.SecretFile != "" {
		where = "jwt.secret_file"
	}
	return c.conflict(where, "%s is shorter than 32 bytes: write a longer one, as `openssl rand -hex 32` "+
		"gives", c.Name(where))
}

func jwtAlgorithms(c *Config) *Problem {
	for _, a := range c.JWT.Algorithms {
		symmetric := strings.HasPrefix(a, "HS")
		switch {
		case symmetric && !c.hasJWTSecret():
			return c.conflict("jwt.algorithms", "%s has %s, but there is no secret: write %s, or leave "+
				"%s out", c.Name("jwt.algorithms"), a, c.Name("jwt.secret_file"), a)
		case !symmetric && !c.hasJWTPublic():
			return c.conflict("jwt.algorithms", "%s has %s, but there are no public keys: write %s or "+
				"%s, or leave %s out", c.Name("jwt.algorithms"), a, c.Name("jwt.keys_file"),
				c.Name("jwt.jwks_url"), a)
		}
	}
	return nil
}

func keysFile(c *Config) *Problem {
	if c.JWT.KeysFile == "" {
		return nil
	}
	if _, err := readFile(c.JWT.KeysFile, fileMax); err != nil {
		return c.conflict("jwt.keys_file", "%s: %v; write %s", c.Name("jwt.keys_file"), err,
			keyNamed("jwt.keys_file").want())
	}
	return nil
}

func hookWithoutURL(c *Config) *Problem {
	if !c.Asks("hook") || c.Hook.URL != (HookURL{}) {
		return nil
	}
	return c.conflict("auth", "%s has hook, but nobody to ask: write %s, as http://127.0.0.1:3000/chskd",
		c.Name("auth"), c.Name("hook.url"))
}

func headerWithoutField(c *Config) *Problem {
	if !c.Asks("header") || c.Header.UID != "" {
		return nil
	}
	return c.conflict("auth", "%s has header, but no field has the uid: write %s, as X-User",
		c.Name("auth"), c.Name("header.uid"))
}

func headerWithoutProxies(c *Config) *Problem {
	if !c.Asks("header") || len(c.TrustedProxies) > 0 {
		return nil
	}
	return c.conflict("auth", "%s has header, but no proxy may say who a client is: write its address "+
		"in %s", c.Name("auth"), c.Name("trusted_proxies"))
}

func proxyProtocolWithoutProxies(c *Config) *Problem {
	if !c.ProxyProtocol || len(c.TrustedProxies) > 0 {
		return nil
	}
	return c.conflict("proxy_protocol", "%s without %s: nobody could connect; write the proxy's address "+
		"there", c.Name("proxy_protocol"), c.Name("trusted_proxies"))
}

// selfNamed: who may be whoever they say does not listen to the network, unless told to.
func selfNamed(c *Config) *Problem {
	mode := c.lastMode()
	if mode != "client" && mode != "dev" || c.Insecure || loopback(c.Listen) {
		return nil
	}
	return c.conflict("listen auth demo", "%s %s lets a client be whoever it says, so it listens on "+
		"loopback only; write %s, or %s, or add %s if the network is trusted", c.Name("auth"), mode,
		c.written("listen", "127.0.0.1:8080"), c.written("auth", "anonymous"), c.written("insecure", "true"))
}

// lastMode is the mode that decides when no other applied. The demo asks for names.
func (c *Config) lastMode() string {
	if c.Demo && slices.Equal(c.Auth, []string{"client"}) {
		return "dev"
	}
	return c.Auth[len(c.Auth)-1]
}

// LocalOnly says that clients prove nothing and are on this machine, so that a page which
// makes its own name point here (DNS rebinding) must be kept out by that name.
func (c *Config) LocalOnly() bool {
	mode := c.lastMode()
	return (mode == "client" || mode == "dev") && !c.Insecure && loopback(c.Listen) &&
		len(c.TrustedProxies) == 0 && len(c.AllowedOrigins) == 0
}

// loopback says whether an address, host:port, is reached from this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && loopbackHost(host)
}

func loopbackHost(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
