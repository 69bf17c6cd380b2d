package watch

import (
	"context"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/parallel"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// Sources are files of which a part says what the workspace is: of a Go file, its imports (haz::cfg::134). An edit that leaves the part as it
// was is no change of the workspace. So what counts of each is read once, and again when its stamp is another.

// sources is which files these are.
type sources struct {
	all   []workspace.Sources
	index *pattern.Index
	found []sourcePattern // by number in the index
}

type sourcePattern struct {
	of     int // of all
	prefix string
}

func newSources(all []workspace.Sources) *sources {
	s := &sources{all: all, index: pattern.NewIndex()}
	for i := range all {
		for _, p := range all[i].Patterns {
			s.index.Add(len(s.found), p)
			s.found = append(s.found, sourcePattern{i, p.FixedPrefix()})
		}
	}
	return s
}

// wants are the patterns of all of them.
func (s *sources) wants() (list []want) {
	if s == nil {
		return nil
	}
	for i := range s.all {
		for _, p := range s.all[i].Patterns {
			list = append(list, want{pattern: p, leftOut: s.all[i].LeftOut})
		}
	}
	return list
}

// of are those that a file is one of.
func (s *sources) of(file string) (list []*workspace.Sources) {
	if s == nil {
		return nil
	}
	s.index.Matching(file, func(at int) {
		f := s.found[at]
		if src := &s.all[f.of]; !slices.Contains(list, src) && !f.leavesOut(src, file) {
			list = append(list, src)
		}
	})
	return list
}

// leavesOut reports whether the file, or a folder on the way to it, does not count.
func (f sourcePattern) leavesOut(src *workspace.Sources, file string) bool {
	if src.LeftOut == nil {
		return false
	}
	for ; pattern.IsBelow(file, f.prefix); file = path.Dir(file) {
		if src.LeftOut(file) {
			return true
		}
	}
	return false
}

// same tells what counts of files apart: where it is equal for two interests, that is equal, too.
func (s *sources) same() string {
	if s == nil {
		return ""
	}
	var texts []string
	for i := range s.all {
		texts = append(texts, s.all[i].Same)
	}
	return strings.Join(texts, "\x00")
}

// Parts is what counted of sources when they were last read. The zero value: none was.
type Parts struct {
	known map[string]string // of those of which anything counts
}

// sourceMax is how much of a source is read.
const sourceMax = 16 << 20

// partOf is what counts of a file as it is now.
func (t *Tree) partOf(i *Interest, file string) string {
	var parts []string
	for _, src := range i.sources.of(file) {
		text, _, err := fsys.Machine().ReadFile(filepath.Join(t.root, file), sourceMax)
		switch {
		case err != nil:
		case src.Part == nil:
			parts = append(parts, "there")
		default:
			if part := src.Part(file, text); part != "" {
				parts = append(parts, part)
			}
		}
	}
	return strings.Join(parts, "\x00")
}

// Take reads what counts of files, on all CPUs; those that are no sources are passed over.
func (p *Parts) Take(t *Tree, i *Interest, files []string) {
	files = slices.DeleteFunc(slices.Clone(files), func(f string) bool { return !i.Source(f) })
	parts := make([]string, len(files))
	parallel.Each(context.Background(), len(files), func(at int) { parts[at] = t.partOf(i, files[at]) })
	if p.known == nil {
		p.known = map[string]string{}
	}
	for at, f := range files {
		if delete(p.known, f); parts[at] != "" {
			p.known[f] = parts[at]
		}
	}
}

// Adopt reads what counts of those sources of a new interest that were none of the old one, or of which something else counts now.
func (p *Parts) Adopt(t *Tree, old, i *Interest, now map[string]Stamp) {
	if i.sources == nil {
		return
	}
	again := old.sources.same() != i.sources.same()
	var files []string
	for f := range now {
		if again || !old.Source(f) {
			files = append(files, f)
		}
	}
	p.Take(t, i, files)
}

// Changed reports whether a source that differs between two looks says something else than it did.
func (p *Parts) Changed(t *Tree, i *Interest, file string, before, now map[string]Stamp) bool {
	of := i.sources.of(file)
	if len(of) == 0 {
		return false
	}
	if t.partOf(i, file) != p.known[file] {
		return true
	}
	_, was := before[file]
	_, is := now[file]
	if was == is {
		return false
	}
	others := before
	if was {
		others = now
	}
	return slices.ContainsFunc(of, func(src *workspace.Sources) bool { return src.Folders && !i.sources.beside(src, file, others) })
}

// beside reports whether another source of the kind lies in the folder of a file.
func (s *sources) beside(src *workspace.Sources, file string, seen map[string]Stamp) bool {
	dir := path.Dir(file)
	for other := range seen {
		if other != file && path.Dir(other) == dir && slices.Contains(s.of(other), src) {
			return true
		}
	}
	return false
}
