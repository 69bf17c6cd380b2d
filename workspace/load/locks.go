package load

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
	"github.com/haz-build/haz/workspace/infer"
)

// $lock among the inputs is what the project reaches in the lock file that pins its packages (haz::cfg::114): of each kind of manifest that its
// folder has, one.

// locks are those by the folders of the projects that they are about.
type locks struct {
	at      map[string][]*workspace.Lock
	partial bool // a manifest could not be read: nothing is said of one that is missing
}

// locksOf are the lock files that manifests know.
func locksOf(found infer.Found) locks {
	if len(found.Locks) == 0 {
		return locks{partial: found.Mistakes.HasErrors()}
	}
	uses := make(map[string][]string, len(found.Projects))
	for _, e := range found.Edges {
		uses[e.From] = append(uses[e.From], e.To)
	}
	by := make(map[string][]*workspace.Lock, len(found.Projects))
	for _, f := range found.Locks {
		l := &workspace.Lock{File: f.File, Files: f.Files, Members: make([]workspace.LockMember, len(f.Members)), Places: make(map[string]int, len(f.Members))}
		for i, m := range f.Members {
			l.Places[m.Dir] = i
			by[m.Dir] = append(by[m.Dir], l)
		}
		for i, m := range f.Members {
			to := &l.Members[i]
			to.Dir, to.Name, to.Untold, to.Free = m.Dir, m.Name, m.Untold, m.Free
			for _, n := range m.Needs {
				to.Needs = append(to.Needs, workspace.LockNeed(n))
			}
			for _, dir := range uses[m.Dir] {
				if at, known := l.Places[dir]; known && !slices.Contains(to.Uses, at) {
					to.Uses = append(to.Uses, at)
				}
			}
			for dir := m.Dir; f.Climbs && dir != "/"; {
				dir = path.Dir(dir)
				if at, known := l.Places[dir]; known {
					to.Above = append(to.Above, at)
				}
			}
		}
	}
	return locks{by, found.Mistakes.HasErrors()}
}

// lock is $lock: a pattern for each file, by which producers of it are found.
func (b *builder) lock(item config.Pattern, src *config.Source, dir string, shared bool) (decls []workspace.PatternDecl) {
	if dir == nowhere {
		return nil
	}
	at := src.Place(item.Span)
	via := &workspace.Item{Text: item.Value, Place: at}
	for _, l := range b.locks.at[dir] {
		for _, file := range l.Files {
			p, err := pattern.Parse(pattern.Escape(file))
			if err != nil {
				continue // a name that no pattern can have is no input of anybody
			}
			decls = append(decls, workspace.PatternDecl{Text: strings.TrimPrefix(file, "/"), Via: via, Place: at, Pattern: p, Quiet: true, Shared: shared, Lock: l})
		}
	}
	if len(decls) == 0 && !b.locks.partial {
		hint := "in .haz/workspace.yml say whose manifests are read: infer: auto"
		if len(b.locks.at) > 0 {
			hint = "name the lock file itself, as a path from the root of the workspace, or leave $lock out"
		}
		b.setDiag("haz::cfg::114", at, "$lock means nothing here: no manifest that `infer` reads makes "+diag.Quote(dir)+" a project", hint)
	}
	return decls
}
