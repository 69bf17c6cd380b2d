package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/outputs"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// collectOutputs is outputs.Collect, and a look at what the task did not make again.
//
// A tool that keeps its state beside its outputs, where nobody declares it, makes only what has changed since; in a fresh tree it
// would make all. So where something is missing that the task made before, and there is such a file, what was taken away is put
// back, as the tool expects it, and the result is not stored.
func (b *builder) collectOutputs(ctx context.Context, j *job, r outputs.Request) (*outputs.Collected, error) {
	got, err := outputs.Collect(ctx, b.r.o.FS, b.r.o.State, b.r.o.Hash, r)
	if r.PresenceOnly || err != nil && !isMissing(err) {
		return got, err
	}
	if missing := b.missing(j, got); len(missing) > 0 {
		if beside := b.undeclared(ctx, j); len(beside) > 0 {
			if j.left.taken.PutBack(func(p string) bool { return isListed(missing, p) }) > 0 {
				b.r.treeChanged()
				got, err = outputs.Collect(ctx, b.r.o.FS, b.r.o.State, b.r.o.Hash, r)
			}
			if err != nil {
				return nil, err
			}
			got.NotStorable, got.Hint, got.Quiet = notMadeAgain(missing, beside)
		}
	}
	if got != nil && j.left.stuck != "" {
		got.NotStorable, got.Hint, got.Quiet = "what an earlier run has left could not be taken away: "+j.left.stuck, "", false
	}
	return got, err
}

func isMissing(err error) bool {
	var r *outputs.RejectError
	return errors.As(err, &r) && r.Kind == outputs.OutputMissing
}

func isListed(sorted []string, path string) bool {
	_, ok := slices.BinarySearch(sorted, path)
	return ok
}

// missing lists what the product list had when the task began and what is not there now, sorted.
func (b *builder) missing(j *job, got *outputs.Collected) []string {
	var list []string
	for i := range j.left.was.Files {
		p := &j.left.was.Files[i]
		if p.Found || p.Info.Kind == fsys.Dir || !j.task.Writes(p.Path) || j.isSource(p.Path) {
			continue
		}
		if got != nil {
			_, there := slices.BinarySearchFunc(got.Outputs, p.Path, func(o entry.Output, path string) int { return strings.Compare(o.Path, path) })
			if there {
				continue
			}
		}
		if _, err := b.r.o.FS.Lstat(p.Path); err == nil {
			continue // no output all the same: a bystander, say, or of a name that no output may have
		}
		if b.madeBy(j.task, p.Path) == "" {
			list = append(list, p.Path)
		}
	}
	return list
}

// undeclared looks for state that the task keeps in its project and that nobody declares. What people edit of haz is none, and neither is
// what another task takes away from its outputs: that one keeps it, and has written it meanwhile.
func (b *builder) undeclared(ctx context.Context, j *job) []string {
	g := b.r.o.Plan.G
	var sparing []pattern.Pattern // of other tasks
	for _, t := range g.W.Tasks {
		for _, d := range t.Outputs {
			if t.Index != j.task.Index && len(d.Pattern.Exceptions()) > 0 {
				sparing = append(sparing, d.Pattern)
			}
		}
	}
	known := func(path string) bool {
		return path == "/"+j.task.Project.File || j.isSource(path) || j.task.Writes(path) || len(g.Writers(path)) > 0 ||
			slices.ContainsFunc(sparing, func(p pattern.Pattern) bool { return p.Spares(path) })
	}
	skip := func(dir string) bool {
		if strings.HasSuffix(dir, "/.git") || strings.HasSuffix(dir, layout.Dir) {
			return true
		}
		return slices.ContainsFunc(g.W.Projects, func(p *workspace.Project) bool { return p.Dir == dir })
	}
	spans := append([]state.Span{b.span(j)}, j.left.was.Spans...)
	return outputs.Undeclared(ctx, b.r.o.FS, j.task.Project.Dir, spans, known, skip)
}

// notMadeAgain is why a result that lacks something must not be stored.
func notMadeAgain(missing, beside []string) (reason, hint string, quiet bool) {
	lack, has := missing[0]+" was", ""
	if n := len(missing) - 1; n > 0 {
		lack = fmt.Sprintf("%s and %d more were", missing[0], n)
	}
	if n := len(beside) - 1; n > 0 {
		has = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%s not made again, maybe because of %s%s, which the task wrote and no task declares", lack, beside[0], has),
		"if a tool keeps its state in " + beside[0] + ", list it in outputs", false
}
