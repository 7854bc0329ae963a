// Package config reads the options of the daemon: from a YAML file, from CHSKD_ variables of the
// environment and from flags, into one struct.
//
// There is one struct, [Config], and one table of its keys (keys.go). Flags, the names of variables,
// the default file, the JSON Schema and docs/config.md are all made from the table. A key's names are
// mechanical: jwt.jwks_url is the flag --jwt-jwks-url and the variable CHSKD_JWT_JWKS_URL. Flags win
// over variables, variables over the file, the file over the defaults.
//
// All three sources are checked by the same rules, and every mistake is told with what to write
// instead; one in the file with its line and a caret below it:
//
//	chskd.yaml:3:12: max_conns "many": write a whole number, 0 to 1000000000
//	   3 | max_conns: many
//	     |            ^
//
// It is not the wiring: it knows nothing of the engine, and what the values are for is said in the
// documentation of the packages that take them. It opens no socket and starts nothing; it reads the
// file and the files of secrets. A [Config] is the caller's; nothing of it is shared.
//
//	flags := config.NewFlags(cmd.Flags())
//	c, err := config.Load(config.Sources{File: path, Environ: os.Environ(), Flags: flags})
package config
