// Package entry holds the values that a cache entry is spoken of with: its key, what it holds, why there is none. They know no
// disk, so that whoever decides can carry them.
//
// An entry is what a task made from the inputs of one key, whole: it is complete or it is a Miss, and whoever has it may put each
// Output back without asking anybody. Outputs are sorted by path, each path once, none below one that is a file or a link. They
// are claims until their bytes were compared: an entry may come from somebody else.
package entry

import "github.com/haz-build/haz/cache/digest"

// Key finds an entry.
type Key = digest.Digest

// MissReason says why there is no hit (7.4).
type MissReason uint8

const (
	NoEntry MissReason = iota + 1
	Schema
	Damaged
	Unreadable
	Uncached
	OtherRoot
)

// String is the spelling after "miss: " in chapter 3, 6.
func (r MissReason) String() string {
	switch r {
	case NoEntry:
		return "no entry"
	case Schema:
		return "schema mismatch"
	case Damaged:
		return "corrupt entry"
	case Unreadable:
		return "unreadable entry"
	case Uncached:
		return "uncached"
	case OtherRoot:
		return "other root"
	}
	return "unknown"
}

// A Miss says why a lookup found nothing usable.
type Miss struct {
	Reason MissReason
	Detail string // "blob 2 of 3 missing"
	Became string // of a damaged entry that a lookup has found: "was set aside"; "" when nothing was done with it
}

func (m *Miss) String() string {
	if m.Detail == "" {
		return m.Reason.String()
	}
	return m.Reason.String() + " (" + m.Detail + ")"
}

// OutputKind is the kind of a recorded output.
type OutputKind byte

const (
	File OutputKind = 'f'
	Link OutputKind = 'l'
	Dir  OutputKind = 'd'
)

// String is the spelling of the kind in a manifest.
func (k OutputKind) String() string {
	switch k {
	case Link:
		return "link"
	case Dir:
		return "dir"
	}
	return "file"
}

// Output is one recorded output.
type Output struct {
	Path   string // workspace-absolute
	Kind   OutputKind
	Digest digest.Digest // files
	Size   int64         // files
	Mode   uint32        // 0o777 at most; 0 for links
	Target string        // links
}

// Source is an output that is an input of its task too. Of its mode only that counts which counts in a key.
func Source(path string, kind OutputKind, exec bool, d digest.Digest, linkText string) Output {
	o := Output{Path: path, Kind: kind}
	switch kind {
	case Link:
		o.Target = linkText
	case File:
		if o.Digest = d; exec {
			o.Mode = 0o100
		}
	}
	return o
}
