package haz

import (
	"context"
	"errors"
	"fmt"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/git"
)

// projectFiles are the files that $project selects (PATH-025): for one run, or one question. git is asked when they are needed first.
func (w *Workspace) projectFiles() *tree.Files {
	lister, _ := w.lister()
	return tree.NewFiles(lister)
}

// lister is who lists the files of projects: git, on the file system of the machine; nil where there is no repository. The error is
// git.ErrNoGit; there is no lister then, either.
func (w *Workspace) lister() (tree.Lister, error) {
	if !w.o.realHost {
		return nil, nil
	}
	files, err := git.NewFiles(git.Options{Root: w.W.Root, StartedIn: w.dir, Env: w.o.env})
	if files == nil {
		return nil, err
	}
	return gitFiles{files}, nil
}

// gitFiles is git as a tree.Lister.
type gitFiles struct{ files *git.Files }

func (g gitFiles) All(ctx context.Context) ([]tree.Listed, error) { return listed(g.files.All(ctx)) }

func (g gitFiles) New(ctx context.Context, names []string) ([]tree.Listed, error) {
	return listed(g.files.New(ctx, names))
}

func listed(files []git.File, err error) ([]tree.Listed, error) {
	list := make([]tree.Listed, len(files))
	for i, f := range files {
		list[i] = tree.Listed(f)
	}
	return list, err
}

// usesProject are the patterns $project of some tasks, one for each project, and the first task that has one.
func usesProject(tasks []*Task) (patterns []pattern.Pattern, first *Task) {
	seen := map[*workspace.Project]bool{}
	for _, t := range tasks {
		if d := t.ProjectInput(); d != nil && !seen[t.Project] {
			seen[t.Project] = true
			patterns = append(patterns, d.Pattern)
			if first == nil {
				first = t
			}
		}
	}
	return patterns, first
}

// projectMistakes lists the files of the projects of some tasks, where they need that, and tells what keeps $project from being right: git
// that does not answer (PATH-026), and outputs that would take away what git tracks (PATH-027). note is for what is no mistake.
func (w *Workspace) projectMistakes(ctx context.Context, t *tree.Tree, tasks []*Task, note func(text, hint string)) diag.List {
	patterns, first := usesProject(tasks)
	if first == nil {
		return nil
	}
	if _, err := w.lister(); errors.Is(err, git.ErrNoGit) {
		note("$project is all but hidden folders and node_modules here: there is a git repository and no program git on PATH", "install git, to have what it tracks or would add")
	}
	if err := t.Load(ctx, patterns); err != nil {
		if ctx.Err() != nil {
			return nil // whoever goes on sees it
		}
		d := diag.Diagnostic{Code: "PATH-026", Message: err.Error()}
		var refused *git.Error
		if errors.As(err, &refused) {
			d = refused.Diagnostic()
		}
		d.Place = first.ProjectInput().At()
		return diag.List{d}
	}
	return w.trackedOutputs(t, tasks)
}

// trackedOutputs are globs of outputs that match what git tracks, in projects of tasks that use $project, which does not have what tasks make
// (PATH-027): a formatter, mostly, and what it formats would be in nobody's key.
func (w *Workspace) trackedOutputs(t *tree.Tree, tasks []*Task) (list diag.List) {
	seen := map[*workspace.Project]bool{}
	for _, user := range tasks {
		in := user.ProjectInput()
		if in == nil || seen[user.Project] {
			continue
		}
		seen[user.Project] = true
		for _, maker := range user.Project.Tasks {
			for _, out := range maker.Outputs {
				if out.Pattern.IsLiteral() || maker.Reads(out.Pattern) {
					continue
				}
				path := t.Tracked(out.Pattern)
				if path == "" || in.Pattern.Match(path) {
					continue
				}
				list = append(list, diag.Diagnostic{Code: "PATH-027", Place: out.Place, Project: maker.SharedIn(),
					Message: fmt.Sprintf("output %s of task %s matches %s, which git tracks, and so takes it from $project", diag.Quote(out.Text), diag.Quote(maker.ID.String()), diag.Quote(path)),
					Hint:    "a task that edits files lists them in its inputs, too: " + diag.Quote(out.Text) + "; one whose result is committed names its files or its folder, without wildcards",
					Related: []diag.Related{{Place: in.At(), Label: "$project is used here"}}})
			}
		}
	}
	return list
}

// LeftOut is what $project leaves out of the files that lie in a project, for who waits for files to change. It is not safe for concurrent use.
type LeftOut struct {
	files   *git.Files // nil: there is no git, and hidden folders and node_modules are left out
	ignored map[string]bool
}

// LeftOut asks git what it ignores. nil: no task of the workspace uses $project. The error is git's, which a run would meet as well.
func (w *Workspace) LeftOut(ctx context.Context) (*LeftOut, error) {
	if err := w.ready(ctx); err != nil {
		return nil, err
	}
	if _, first := usesProject(w.W.Tasks); first == nil {
		return nil, nil
	}
	l := &LeftOut{ignored: map[string]bool{}}
	if lister, _ := w.lister(); lister != nil {
		l.files = lister.(gitFiles).files
		names, err := l.files.Ignored(ctx)
		if err != nil {
			return nil, err
		}
		l.add(names)
	}
	return l, nil
}

func (l *LeftOut) add(names []string) {
	for _, n := range names {
		l.ignored[n] = true
	}
}

// Folder reports whether nothing in a folder counts. What lies around it does.
func (l *LeftOut) Folder(dir string) bool {
	if l.files == nil {
		return tree.LeftOut(dir)
	}
	return l.ignored[dir]
}

// Files are those of some files that are not left out. git is asked about those that it was not asked about before.
func (l *LeftOut) Files(ctx context.Context, paths []string) (counting []string) {
	var unknown []string
	known := func(path string) bool {
		for at := path; at != "/"; at = pattern.Parent(at) {
			if l.ignored[at] || l.files == nil && at != path && tree.LeftOut(at) {
				return true
			}
		}
		return false
	}
	for _, p := range paths {
		if !known(p) {
			unknown = append(unknown, p)
		}
	}
	if l.files == nil || len(unknown) == 0 {
		return unknown
	}
	names, err := l.files.IgnoredOf(ctx, unknown)
	if err != nil {
		return unknown
	}
	l.add(names)
	for _, p := range unknown {
		if !known(p) {
			counting = append(counting, p)
		}
	}
	return counting
}
