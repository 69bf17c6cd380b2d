package haz

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/packages"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
)

// lockFiles are the lock files that tasks have by $lock, workspace-absolute.
func (w *Workspace) lockFiles() map[string]bool {
	files := map[string]bool{}
	for _, t := range w.W.Tasks {
		for _, l := range t.Locks() {
			for _, name := range l.Files {
				files[name] = true
			}
		}
	}
	return files
}

// finder finds what projects reach in lock files of a file system, without learning anything for good.
func (w *Workspace) finder(files fsys.FS) (*packages.Finder, *state.State) {
	fn, _ := digest.ParseFunction(w.W.Settings.Hash)
	st := state.OpenReadOnly(files, fn)
	return packages.New(packages.Options{FS: files, State: st, Hash: fn}), st
}

// relocked are the tasks whose projects reach something else in a lock file on the one side than on the other. Where concerns is not nil, only lock
// files that it is true of count.
func (w *Workspace) relocked(ctx context.Context, was, is side, concerns func(*workspace.Lock) bool) (tasks []int) {
	before, closing := w.finder(was.files)
	defer closing.Flush() // gives handles back
	now, closes := w.finder(is.files)
	defer closes.Flush()
	counting := func(t *Task) []*workspace.Lock {
		return slices.DeleteFunc(t.Locks(), func(l *workspace.Lock) bool { return concerns != nil && !concerns(l) })
	}
	for i, t := range w.W.Tasks {
		if len(counting(t)) == 0 {
			continue
		}
		old, t := was.w.Task(t.ID), is.w.Task(t.ID)
		if old == nil || t == nil { // nothing to compare with
			tasks = append(tasks, i)
			continue
		}
		same := slices.EqualFunc(counting(t), counting(old), func(l, m *workspace.Lock) bool {
			a, err := now.Find(ctx, l, t.Project.Dir)
			b, bad := before.Find(ctx, m, old.Project.Dir)
			return err == nil && bad == nil && l.File == m.File && a.Same(&b)
		})
		if !same {
			tasks = append(tasks, i)
		}
	}
	return tasks
}

// lockWarnings say of which lock files all counts, or nothing, where tasks have $lock (haz::cfg::115): once for each reason.
func (w *Workspace) lockWarnings(ctx context.Context) (list diag.List) {
	finder, st := w.finder(w.FS)
	defer st.Flush() // gives handles back
	type asked struct {
		lock *workspace.Lock
		of   *workspace.Project
	}
	seen := map[asked]bool{}
	first := map[string]int{} // of each reason, its place in list
	more := map[string]int{}
	for _, t := range w.W.Tasks {
		for _, l := range t.Locks() {
			if seen[asked{l, t.Project}] || ctx.Err() != nil {
				continue
			}
			seen[asked{l, t.Project}] = true
			d := w.lockWarning(ctx, finder, t, l)
			if d == nil {
				continue
			}
			reason := d.Code + l.File + d.Message[:min(12, len(d.Message))]
			if _, told := first[reason]; told {
				more[reason]++
				continue
			}
			first[reason] = len(list)
			list = append(list, *d)
		}
	}
	for reason, n := range more {
		projects := "1 more project"
		if n > 1 {
			projects = fmt.Sprintf("%d more projects", n)
		}
		list[first[reason]].Message += ", and so is it with " + projects
	}
	return list
}

func (w *Workspace) lockWarning(ctx context.Context, finder *packages.Finder, t *Task, l *workspace.Lock) *diag.Diagnostic {
	name := l.File[1:]
	d := &diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::115", Place: diag.Place{File: name}}
	found, err := finder.Find(ctx, l, t.Project.Dir)
	var broken *packages.Broken
	switch {
	case err != nil:
		d.Message, d.Causes = "the lock file cannot be read, which keeps tasks with $lock from running", []string{err.Error()}
		return d
	case found.How == packages.Reached:
		return nil
	case found.How == packages.Absent && mayLack(l, t.Project.Dir):
		return nil
	case found.How == packages.Absent:
		for i := range t.Inputs {
			if t.Inputs[i].Lock == l {
				d.Place = t.Inputs[i].At()
			}
		}
		d.Message = "there is no " + diag.Escape(name) + ": the versions of packages are in no key of project " + diag.Quote(t.Project.Name)
		return d
	}
	if err := finder.Untold(ctx, &found, t.Project.Dir); errors.As(err, &broken) {
		d.Message, d.Causes = "the lock file is not understood, so that all of it counts in the keys of project "+diag.Quote(t.Project.Name), []string{broken.Error()}
		return d
	}
	d.Message = "the lock file does not tell what project " + diag.Quote(t.Project.Name) + " reaches, so that all of it counts in its keys"
	d.Hint = "bring it up to date with the package manager"
	return d
}

// mayLack reports whether a lock file need not be there: nothing that the project in a folder needs is from elsewhere.
func mayLack(l *workspace.Lock, dir string) bool {
	at, member := l.Places[dir]
	return member && l.Members[at].Free
}
