// Package demo is a chat: a page that chskd serves and a small backend behind it.
//
// The page ([Page]) is plain HTML, CSS and JavaScript modules, embedded, with nothing fetched from
// elsewhere. It speaks the channel-socket protocol with the edn packer, as a stock Sente client
// does. The backend ([Run]) is an ordinary client of chskd's Unix socket: it reads the stream of
// events and presence, pushes and replies over HTTP, and could be written in any language.
//
// It shows how the parts play together and is no part of the daemon: nothing else imports it but
// the command that starts both for `chskd serve --demo`.
package demo
