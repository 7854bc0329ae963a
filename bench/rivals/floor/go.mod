module github.com/chskd/chskd/bench/rivals/floor

go 1.26.8

require (
	github.com/chskd/chskd v0.0.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/gobwas/ws v1.5.0 // indirect
)

replace github.com/chskd/chskd => ../../..
