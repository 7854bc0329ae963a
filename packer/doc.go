// Package packer reads and writes the values that travel between clients, daemon and backends.
package packer
