// Package oracle holds no code: its tests ask the readers and writers of others whether packer is
// right.
//
// Each oracle is a program that answers questions on a pipe, started once for all tests:
//
//	edn.clj      tools.reader.edn and pr on the JVM: Sente's server
//	cljs.cljs    the edn reader, printer and transit of ClojureScript: Sente's client
//	transit.mjs  transit-js
//	msgpack.mjs  @msgpack/msgpack with the extension types of taoensso.msgpack
//
// What they read they tell as a tree, one notation for all (tree_test.go), and tree after tree is
// compared with what the JVM made of the edn text that gen_test.go wrote. What a format cannot hold
// is a function on trees (loss_test.go), the same that docs/values.md tells in words.
//
// deps.sh installs the oracles. A test whose oracle is missing is skipped, or fails when
// CHSKD_REQUIRE_ORACLES=1.
package oracle
