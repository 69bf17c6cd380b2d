package tree

import "github.com/haz-build/haz/fsys"

// Seen is what walks have looked at, beside what they found: as long as all of it is as it was, they find the same. It is that of one
// goroutine; nil takes no note. Whether a listing was read by this walk, or remembered from another one, makes no difference.
//
// Where cache and state lie, when links lead to them (OwnPlaces), is not in it, since every walk asks for it.
type Seen struct {
	Listed []string // folders of which the names counted
	Looked []string // names that were looked at, or for
	Passed []string // folders on the way that are no links
	// Odd says that more was looked at than this tells: what lies behind a link to a folder, or what a Lister lists.
	Odd bool
}

func (s *Seen) odd() {
	if s != nil {
		s.Odd = true
	}
}

func (s *Seen) lists(dir string, through bool) {
	if s != nil {
		s.Listed = append(s.Listed, dir)
		s.Odd = s.Odd || through
	}
}

// looks notes a name, and what lies there, if anything.
func (s *Seen) looks(m *Match, path string) {
	if s != nil {
		s.Looked = append(s.Looked, path)
		s.Odd = s.Odd || m.Info.Kind == fsys.Link && m.Target.Kind != fsys.File && m.Target.Kind != fsys.Unknown
	}
}

func (s *Seen) passes(dir string) {
	if s != nil {
		s.Passed = append(s.Passed, dir)
	}
}

// OwnPlaces is where haz's own cache and state lie, as far as links lead there: what every walk leaves out.
func (t *Tree) OwnPlaces() []string { return t.ownDirs() }
