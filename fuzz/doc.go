// Package fuzz holds the fuzz targets of the parsers, one file each. It has no code of its own.
package fuzz
