package packer

import "errors"

// ErrUndecodable is what ParseMessage, CheckValue and Append fail with.
var ErrUndecodable = errors.New("packer: not readable")
