package cache

import "github.com/haz-build/haz/cache/entry"

type (
	Key        = entry.Key
	MissReason = entry.MissReason
	Miss       = entry.Miss
	OutputKind = entry.OutputKind
	Output     = entry.Output
)

const (
	NoEntry    = entry.NoEntry
	Schema     = entry.Schema
	Damaged    = entry.Damaged
	Unreadable = entry.Unreadable
	Uncached   = entry.Uncached
	OtherRoot  = entry.OtherRoot

	File = entry.File
	Link = entry.Link
	Dir  = entry.Dir
)
