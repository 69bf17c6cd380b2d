package restore

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
)

// prefixes knows, for a path, which output pattern it matches and how far links may be followed on the way to it.
type prefixes struct {
	patterns []pattern.Pattern
	fixed    []string          // fixed prefix of each pattern, the longest first
	folders  map[string]string // directories that are outputs though no pattern matches them, and their prefix
}

func newPrefixes(patterns []pattern.Pattern) *prefixes {
	p := &prefixes{patterns: slices.Clone(patterns), fixed: make([]string, len(patterns))}
	if len(patterns) > 1 {
		slices.SortStableFunc(p.patterns, func(a, b pattern.Pattern) int { return len(b.FixedPrefix()) - len(a.FixedPrefix()) })
	}
	for i, q := range p.patterns {
		p.fixed[i] = q.FixedPrefix()
	}
	return p
}

// of returns the longest fixed prefix of the patterns that path matches; ok is false when it matches none.
func (p *prefixes) of(path string) (prefix string, ok bool) {
	for i, q := range p.patterns {
		if q.MatchOutput(path) {
			return p.fixed[i], true
		}
	}
	prefix, ok = p.folders[path]
	return prefix, ok
}

// takeFolders makes of answer for the directories among outs that no pattern matches, but that lie where outputs do: the
// fixed prefix of a glob, and what lies between a fixed prefix and an output.
func (p *prefixes) takeFolders(outs []entry.Output) {
	for i := len(outs) - 1; i >= 0; i-- {
		dir := outs[i].Path
		if outs[i].Kind != entry.Dir {
			continue
		}
		if _, ok := p.of(dir); ok {
			continue
		}
		prefix, ok := p.folder(dir)
		if below := manifest.FirstBelow(outs, dir); !ok && below >= 0 { // what comes later in outs was looked at already
			prefix, ok = p.of(outs[below].Path)
			ok = ok && (prefix == dir || pattern.IsBelow(dir, prefix))
		}
		if ok {
			if p.folders == nil {
				p.folders = make(map[string]string)
			}
			p.folders[dir] = prefix
		}
	}
}

// folder reports whether dir is the fixed prefix of a glob.
func (p *prefixes) folder(dir string) (prefix string, ok bool) {
	for i, q := range p.patterns {
		if !q.IsLiteral() && p.fixed[i] == dir {
			return dir, true
		}
	}
	return "", false
}

// What lies at a directory on the way to a target.
type wayKind uint8

const (
	wayUnknown wayKind = iota
	wayDir             // a real directory
	wayAbsent          // nothing
	wayLink            // a link to a directory inside the workspace
	wayBlocked         // anything else: a file, a link to nothing or out of the workspace, something unreadable
)

// ways looks at the directories that lead to targets, each once, so that nothing is reached through a link that lies
// deeper than the fixed prefix of a pattern (4.6, 7.5), nor through one that leaves the workspace or leads into /.haz.
// What it has seen is the state of the tree at that time.
type ways struct {
	ws    fsys.FS
	seen  map[string]wayKind
	links map[string]fsys.Info // those that may be gone through
	troubles

	open, openFor string // the last directory, and prefix, that to found open: outputs often lie side by side
}

func newWays(ws fsys.FS) *ways { return &ways{ws: ws, seen: map[string]wayKind{"/": wayDir}} }

// look says what lies at dir itself.
func (w *ways) look(dir string) wayKind {
	if k := w.seen[dir]; k != wayUnknown {
		return k
	}
	k := w.ask(dir)
	w.seen[dir] = k
	return k
}

func (w *ways) ask(dir string) wayKind {
	info, err := w.ws.Lstat(dir)
	switch {
	case fsys.Absent(err):
		return wayAbsent
	case err != nil:
		w.fail(dir, err)
		return wayBlocked
	case info.Kind == fsys.Dir:
		return wayDir
	case info.Kind != fsys.Link:
		return wayBlocked
	}
	real, err := w.ws.RealPath(dir)
	if err != nil {
		w.fail(dir, err)
		return wayBlocked
	}
	to, err := w.ws.Lstat(real)
	if err != nil {
		w.fail(dir, err)
		return wayBlocked
	}
	if to.Kind != fsys.Dir || pattern.IsOrBelow(real, layout.Dir) {
		return wayBlocked
	}
	if w.links == nil {
		w.links = make(map[string]fsys.Info)
	}
	w.links[dir] = info
	return wayLink
}

// to walks to the directory that path lies in. It returns wayDir when all of the way can be gone; wayAbsent when it ends
// at a directory that does not exist; wayBlocked otherwise. at is the place where it ends.
func (w *ways) to(path, prefix string) (k wayKind, at string) {
	parent := pattern.Parent(path)
	if parent == w.open && prefix == w.openFor {
		return wayDir, parent
	}
	for end := 0; end < len(parent); {
		if i := strings.IndexByte(parent[end+1:], '/'); i >= 0 {
			end += 1 + i
		} else {
			end = len(parent)
		}
		dir := parent[:end]
		if dir == "/" {
			break
		}
		switch k := w.look(dir); k {
		case wayDir:
		case wayLink:
			if dir != prefix && !pattern.IsBelow(prefix, dir) {
				return wayBlocked, dir
			}
		default:
			return k, dir
		}
	}
	w.open, w.openFor = parent, prefix
	return wayDir, parent
}
