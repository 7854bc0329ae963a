package httpmin_test

import (
	"testing"

	"github.com/chskd/chskd/httpmin"
	"github.com/chskd/chskd/internal/count"
)

// browserPoll is the head of a poll as Chromium sends it.
const browserPoll = "GET /chsk?udt=1795263199470&client-id=35cef210-c2fc-40b4-8542-8300a4a31f8e" +
	"&handshake%3F=1 HTTP/1.1\r\n" +
	"Host: 127.0.0.1:19019\r\n" +
	"Connection: keep-alive\r\n" +
	"Pragma: no-cache\r\n" +
	"Cache-Control: no-cache\r\n" +
	"x-csrf-token: tok+1/2=3\r\n" +
	"x-requested-with: XMLHTTPRequest\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) " +
	"HeadlessChrome/156.0.0.0 Safari/537.36\r\n" +
	"Accept: */*\r\n" +
	"Sec-Fetch-Site: same-origin\r\n" +
	"Sec-Fetch-Mode: cors\r\n" +
	"Sec-Fetch-Dest: empty\r\n" +
	"Referer: http://127.0.0.1:19019/__rig/\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Accept-Language: en-US,en;q=0.9\r\n\r\n"

// browserUpgrade is the head of a WebSocket handshake as Chromium sends it.
const browserUpgrade = "GET /chsk?uid=user-1&client-id=bf956642-a980-44ac-8666-95b2a3bedd42" +
	"&csrf-token=tok%2B1%2F2%3D3 HTTP/1.1\r\n" +
	"Host: 127.0.0.1:19505\r\n" +
	"Connection: Upgrade\r\n" +
	"Pragma: no-cache\r\n" +
	"Cache-Control: no-cache\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) " +
	"HeadlessChrome/156.0.0.0 Safari/537.36\r\n" +
	"Upgrade: websocket\r\n" +
	"Origin: http://127.0.0.1:19505\r\n" +
	"Sec-WebSocket-Version: 13\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Accept-Language: en-US,en;q=0.9\r\n" +
	"Sec-WebSocket-Key: YavJSTFAd3QR0RTKlnj/tA==\r\n" +
	"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"

func BenchmarkParseHead(b *testing.B) {
	for _, c := range []struct{ name, in string }{
		{"poll", browserPoll}, {"upgrade", browserUpgrade},
	} {
		b.Run(c.name, func(b *testing.B) {
			in := []byte(c.in)
			var h httpmin.Head
			b.SetBytes(int64(len(in)))
			for loop := count.Loop(b, 2000); loop.Next(); {
				if _, err := httpmin.ParseHead(in, 16<<10, &h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
