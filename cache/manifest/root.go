package manifest

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/haz-build/haz/cache/entry"
)

// A Root is where a workspace lies on the host. The zero one is unknown: nothing is bound, and what is bound is no hit.
type Root struct {
	Path string   // absolute and without links: what an entry is bound to
	Seen []string // other paths that it is seen by, absolute
}

// Name is how manifests spell the root: its path, or, where that is no UTF-8, a quoted form of it.
func (r *Root) Name() string {
	if utf8.ValidString(r.Path) {
		return r.Path
	}
	return strconv.Quote(r.Path)
}

// Bind binds the entry to the root, because of the output at path. The first reason stays.
func (m *Manifest) Bind(r *Root, path string) {
	if m.Root == "" {
		m.Root, m.RootIn = r.Name(), path
	}
}

// ServesRoot reports whether the entry may be used in a workspace at r.
func (m *Manifest) ServesRoot(r *Root) bool {
	return m.Root == "" || r.Path != "" && m.Root == r.Name()
}

func (m *Manifest) MissOfOthers() *entry.Miss {
	return &entry.Miss{Reason: entry.OtherRoot, Detail: fmt.Sprintf("%s holds the path of the workspace at %s, where it was made", m.RootIn, m.Root)}
}
