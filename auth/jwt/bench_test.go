package jwt_test

import (
	"strings"
	"testing"

	"github.com/chskd/chskd/auth/jwt"
)

// A check of a token as identity providers make them, about 500 bytes of claims.
func BenchmarkVerify(b *testing.B) {
	claims := `{"iss":"https://id.example.com","sub":"8f14e45f-ceea-467f-a0e6-0c0a2f0c4c5e","aud":["chat"],` +
		`"iat":1999999990,"exp":2000003600,"rooms":["lobby","team-7"],"x":"` + strings.Repeat("x", 300) + `"}`
	for _, s := range signers() {
		switch s.m.Alg() {
		case "HS256", "RS256", "PS256", "ES256", "EdDSA":
		default:
			continue
		}
		b.Run(s.m.Alg(), func(b *testing.B) {
			k := keys(b, jwt.Config{KeysFile: file(b, jwk(s.public, kid("k"))), Issuer: "https://id.example.com",
				Audience: "chat", TopicsClaim: "rooms"})
			token := []byte(sign(s.m, s.private, `{"alg":"`+s.m.Alg()+`","kid":"k"}`, claims))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := k.Verify(token, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
