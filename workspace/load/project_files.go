package load

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// $project among the inputs is the files of the project that git tracks or would add (PATH-025): without the folders of projects nested in it,
// and without what the project's own tasks make.

// nested are the folders of other projects below that of a project, sorted.
func (l *loader) nested(dir string) []string {
	first, _ := slices.BinarySearch(l.dirs, strings.TrimSuffix(dir, "/")+"/")
	if dir == "/" && first < len(l.dirs) && l.dirs[first] == dir {
		first++
	}
	end := first
	for end < len(l.dirs) && pattern.IsBelow(l.dirs[end], dir) {
		end++
	}
	return l.dirs[first:end:end]
}

// withoutProducts takes from $project what tasks of the same project make, once all tasks are known. What a task reads as well (a formatter)
// are sources, and stay.
func (l *loader) withoutProducts() {
	for _, p := range l.ws.Projects {
		if !slices.ContainsFunc(p.Tasks, func(t *workspace.Task) bool { return t.ProjectInput() != nil }) {
			continue
		}
		var made []pattern.Pattern
		for _, t := range p.Tasks {
			for _, out := range t.Outputs {
				if !t.Reads(out.Pattern) {
					made = append(made, out.Pattern)
				}
			}
		}
		for _, t := range p.Tasks {
			if len(made) == 0 || t.ProjectInput() == nil {
				continue
			}
			t.Inputs = slices.Clone(t.Inputs) // another task may have the same list
			for i := range t.Inputs {
				in := &t.Inputs[i].Pattern
				switch own := in.Exceptions(); {
				case !in.IsListed():
				case len(own) == 0:
					*in = in.WithExceptions(made)
				default:
					*in = in.WithExceptions(slices.Concat(own, made))
				}
			}
		}
	}
}

// takesWord refuses to take $project or $lock away, by itself or by a set that has it: which files, or packages, that would be only the disk
// knows.
func (b *builder) takesWord(decls []workspace.PatternDecl, at diag.Place, text string) bool {
	is := func(what func(d workspace.PatternDecl) bool) bool { return slices.ContainsFunc(decls, what) }
	switch {
	case is(func(d workspace.PatternDecl) bool { return d.Pattern.IsListed() }):
		b.diags = append(b.diags, diag.Diagnostic{Code: "PATH-025", Place: at, Message: diag.Quote(text) + " takes away the files of the project, and $project cannot be taken away",
			Hint: "list what is read instead"})
	case is(func(d workspace.PatternDecl) bool { return d.Lock != nil }):
		b.diags = append(b.diags, diag.Diagnostic{Code: "haz::cfg::114", Place: at, Message: diag.Quote(text) + " takes away what the project reaches in its lock file, and $lock cannot be taken away",
			Hint: "leave $lock out of the list"})
	default:
		return false
	}
	return true
}
