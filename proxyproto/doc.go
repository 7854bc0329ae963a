// Package proxyproto reads the PROXY protocol header, versions 1 and 2, with which a
// proxy in front of us says whose connection it forwards. Source: the specification
// of haproxy, "The PROXY protocol, versions 1 & 2" (proxy-protocol.txt), quoted as
// "spec §2.1" (the text form) and "spec §2.2" (the binary form).
//
// It is bytes in, addresses out: no sockets, no copies, no allocation. Whether the
// peer is one whose header counts is the caller's to know, and it must know it before
// it believes a word of this.
//
//	h, n, err := proxyproto.Parse(b)
//	switch {
//	case err == proxyproto.ErrShort: // come again with more behind b
//	case err != nil:                 // cut the connection; there is nothing to answer
//	case h.Local:                    // the proxy speaks for itself: its own address
//	default:                         // h.Src is who is behind it; the rest is b[n:]
//	}
package proxyproto
