package watch

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// Interest is which files of the tree a watch cares for. Paths are workspace-absolute.
type Interest struct {
	tasks    []*workspace.Task
	entries  []pattern.Pattern // of the list of projects
	looked   []pattern.Pattern // of what else says which projects there are, and who uses whom: manifests of other tools
	manifest *pattern.Index    // of these
	sources  *sources          // files of which a part does; nil: none
	names    []string          // of such files that count anywhere, with anywhere
	anywhere bool              // any haz.yml is a definition: the workspace did not load, so nobody knows which
	outputs  []output
	ignored  map[string]bool // what haz itself writes where it was told to
	formats  bool            // some task writes what it reads
	wants    *wants
	leftOut  func(dir string) bool // folders that listed patterns leave out; nil: none
}

type output struct {
	task    *workspace.Task
	pattern pattern.Pattern
}

// Definitions is the interest in a workspace of which nothing is known yet, or (anywhere) which did not load; manifests are names of files
// that may say then what it is, beside haz.yml.
func Definitions(anywhere bool, manifests ...string) *Interest {
	i := &Interest{anywhere: anywhere, names: manifests}
	i.collect()
	return i
}

// InterestIn is the definitions of a workspace, the inputs and outputs of tasks, and nothing of the given paths.
func InterestIn(entries []pattern.Pattern, tasks []*workspace.Task, ignored ...string) *Interest {
	i := &Interest{tasks: tasks, entries: entries, ignored: map[string]bool{}}
	for _, t := range tasks {
		for _, o := range t.Outputs {
			i.outputs = append(i.outputs, output{t, o.Pattern})
			i.formats = i.formats || slices.ContainsFunc(t.Inputs, func(in workspace.PatternDecl) bool { return pattern.Overlap(in.Pattern, o.Pattern) })
		}
	}
	for _, p := range ignored {
		i.ignored[p] = true
	}
	i.collect()
	return i
}

// Inferring adds the files that were looked at to find projects, and those of which a part counts for that.
func (i *Interest) Inferring(looked []pattern.Pattern, sources ...workspace.Sources) *Interest {
	i.looked, i.manifest = looked, pattern.NewIndex()
	i.sources = newSources(sources)
	for at, p := range looked {
		i.manifest.Add(at, p)
	}
	i.collect()
	return i
}

// Without leaves folders out for patterns of files that somebody lists (pattern.Listed).
func (i *Interest) Without(leftOut func(dir string) bool) *Interest {
	i.leftOut = leftOut
	i.collect()
	return i
}

// ListedAlone reports whether a file is an input of tasks by patterns of files that somebody lists, and by no other, and is no definition.
func (i *Interest) ListedAlone(p string) bool {
	return !i.Definition(p) && !slices.ContainsFunc(i.tasks, func(t *workspace.Task) bool {
		return slices.ContainsFunc(t.Inputs, func(in workspace.PatternDecl) bool { return !in.Pattern.IsListed() && in.Pattern.Match(p) })
	})
}

// collect makes the list of all that can matter.
func (i *Interest) collect() {
	var all []want
	definitions := []string{layout.WorkspaceFile, layout.TasksDir + "/*", "/" + layout.ProjectFile}
	if i.anywhere {
		definitions = append(definitions, "/**/"+layout.ProjectFile)
		for _, name := range i.names {
			definitions = append(definitions, "/**/"+name)
		}
	}
	for _, p := range i.looked {
		all = append(all, want{pattern: p})
	}
	all = append(all, i.sources.wants()...)
	for _, e := range i.entries {
		definitions = append(definitions, e.String()+"/"+layout.ProjectFile)
	}
	for _, text := range definitions {
		if p, err := pattern.Parse(text); err == nil {
			all = append(all, want{pattern: p})
		}
	}
	for _, t := range i.tasks {
		exclude := slices.Clone(workspace.Patterns(t.Exclude))
		for _, o := range i.outputs {
			if o.task != t { // what others make is no reason to run
				exclude = append(exclude, o.pattern)
			}
		}
		for _, in := range t.Inputs {
			w := want{pattern: in.Pattern, exclude: exclude}
			if in.Pattern.IsListed() {
				w.leftOut = i.leftOut
			}
			all = append(all, w)
		}
	}
	i.wants = newWants(all)
}

// Definition reports whether a file at the path defines projects, tasks or settings, or would.
func (i *Interest) Definition(p string) bool {
	switch dir, name := path.Split(p); {
	case p == layout.WorkspaceFile, dir == layout.TasksDir+"/", p == "/"+layout.ProjectFile:
		return true
	case i.manifest != nil && i.isManifest(p), i.anywhere && slices.Contains(i.names, name):
		return true
	case name != layout.ProjectFile:
		return false
	default:
		dir = strings.TrimSuffix(dir, "/")
		return i.anywhere || slices.ContainsFunc(i.entries, func(e pattern.Pattern) bool { return e.Names(dir) })
	}
}

// Source reports whether a part of the file may say what the workspace is: see Parts.
func (i *Interest) Source(p string) bool { return len(i.sources.of(p)) > 0 }

func (i *Interest) isManifest(p string) (is bool) {
	i.manifest.Matching(p, func(int) { is = true })
	return is
}

// Matters reports whether a change of the file is a reason to run: a definition, or an input of a task. What a task of the
// selection writes is none, unless that task reads it as well: the sources of a formatter.
func (i *Interest) Matters(p string) bool {
	return i.Definition(p) || !i.ignored[p] && slices.ContainsFunc(i.tasks, func(t *workspace.Task) bool { return i.reads(t, p) })
}

// reads reports whether a task is concerned by a change of the file.
func (i *Interest) reads(t *workspace.Task, p string) bool {
	return isInput(t, p) && (i.writtenBy(t, p) || !slices.ContainsFunc(i.outputs, func(o output) bool { return o.pattern.Match(p) }))
}

// Formatted reports whether a task reads and writes the file.
func (i *Interest) Formatted(p string) bool {
	return i.formats && slices.ContainsFunc(i.tasks, func(t *workspace.Task) bool { return isInput(t, p) && i.writtenBy(t, p) })
}

func (i *Interest) writtenBy(t *workspace.Task, p string) bool {
	return slices.ContainsFunc(t.Outputs, func(o workspace.PatternDecl) bool { return o.Pattern.Match(p) })
}

func isInput(t *workspace.Task, p string) bool {
	for _, x := range t.Exclude {
		if x.Pattern.Match(p) {
			return false
		}
	}
	for _, in := range t.Inputs {
		if in.Pattern.Match(p) {
			return true
		}
	}
	return false
}

// Format reports whether some task reads and writes the same files.
func (i *Interest) Format() bool { return i.formats }
