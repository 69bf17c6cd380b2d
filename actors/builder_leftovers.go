package actors

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/outputs"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// What a task finds of its earlier runs when it is carried out (4.6). What it made itself is taken away, so that its result is a
// function of its inputs: also what it made for this very key, or a tool that appends, or links, would meet it. It stays for a
// tool that updates in place (incremental). What an execution of whose end nobody knows has left is moved away.

// leftovers is what is known of them while the task is carried out.
type leftovers struct {
	was    state.Products // the product list when it began
	stays  bool           // what was made before is kept for the task
	taken  *cache.Taken
	stuck  string // why something could not be taken away
	marked bool   // the product list says that the task runs
	began  int64  // by the clock of the file system
}

// kept is the product list of what lies there for the task.
func (l *leftovers) kept() state.Products {
	if l.stays {
		return l.was
	}
	return state.Products{}
}

// own reports whether the product list listed path as the task's alone when it began.
func (l *leftovers) own(path string) bool {
	p, ok := l.was.Find(path)
	return ok && !p.Found
}

// target is what a restore has to know of a task.
func (b *builder) target(j *job) cache.Target {
	return cache.Target{Task: j.task.ID.String(), Patterns: workspace.Patterns(j.task.Outputs), Products: b.loadProducts(j), Key: j.derived.Key,
		Defines:     b.r.o.Plan.G.W.Defines,
		DirMode:     b.r.o.Deriver.DirMode(),
		NewestInput: j.newestInput,
		Input:       j.input, Others: func(p string) bool { return b.madeBy(j.task, p) != "" }}
}

// newestInput is the latest mtime of what the key was made of.
func (j *job) newestInput() (newest int64) {
	for i := range j.derived.Inputs {
		in := &j.derived.Inputs[i]
		newest = max(newest, in.Info.MTime, in.TargetInfo.MTime)
	}
	return newest
}

// isSource reports whether path is an input of the task: people edit it, whatever the task does to it.
func (j *job) isSource(path string) bool {
	_, _, ok := j.input(path)
	return ok || j.task.IsSource(path)
}

// makeWay takes what the task made before out of its way. The error is that of the context, or of a walk.
func (b *builder) makeWay(ctx context.Context, j *job) ([]messages.Note, error) {
	j.left.taken.Drop()
	j.left = leftovers{}
	if len(j.task.Outputs) == 0 {
		return nil, ctx.Err()
	}
	j.hasProducts = false // another haz may have written it meanwhile
	t := b.target(j)
	left := &j.left
	left.was = t.Products
	if t.Products.Running { // what it has as found is no more than what there was
		left.was.Files = slices.DeleteFunc(slices.Clone(left.was.Files), func(p state.Produced) bool { return p.Found })
	}
	left.stays = j.task.Incremental && !j.remake && !t.Products.Running && !t.Products.Unfinished
	if !left.stays {
		var err error
		if left.taken, err = b.r.o.Cache.TakeAway(ctx, j.derived.Key, t); err != nil {
			left.stuck = err.Error()
		}
	}
	switch err := ctx.Err(); {
	case err != nil:
		return nil, err
	case t.Products.Running:
		return b.moveHalfWritten(ctx, j, &t), nil
	case j.remake:
		return b.clearForRemake(ctx, j, &t), nil
	}
	return nil, nil
}

// moveHalfWritten moves what an execution of whose end nobody knows may have written out of the tree: haz was killed, or the
// machine lost its power. A user may have saved something there since, so that it is kept.
func (b *builder) moveHalfWritten(ctx context.Context, j *job, t *cache.Target) []messages.Note {
	notes, err := b.displaceHalfWritten(ctx, t, j.isSource)
	if err != nil && ctx.Err() == nil {
		j.left.stuck = err.Error()
	}
	return notes
}

func (b *builder) displaceHalfWritten(ctx context.Context, t *cache.Target, isSource func(path string) bool) ([]messages.Note, error) {
	suspects, err := outputs.Suspects(ctx, b.r.o.FS, t.Patterns, &t.Products, func(p string) bool {
		own, ok := t.Products.Find(p)
		return isSource(p) || b.r.o.Plan.G.W.Defines(p) || t.Others(p) || ok && b.r.o.Cache.Unmodified(ctx, own)
	})
	if err != nil {
		return nil, nil // what is left there was there before, and keeps the result from being stored
	}
	kept, err := b.r.o.Cache.Displace(ctx, *t, suspects)
	notes := b.displacedNote(kept, "was left by a run that was killed, and may be half written")
	t.Products.Running, t.Products.Unfinished = false, true
	return notes, err
}

// displacedNote says what was moved away and how to get it back.
func (b *builder) displacedNote(kept []cache.Kept, why string) []messages.Note {
	if len(kept) == 0 {
		return nil
	}
	host := b.r.o.FS.HostPath
	n := messages.Note{Text: fmt.Sprintf("%s %s; it is kept in %s", kept[0].Path, why, b.fromRoot(kept[0].At)),
		Hint: fmt.Sprintf("to have it back: cp -a %s %s", diag.ShellWord(host(kept[0].At)), diag.ShellWord(host(kept[0].Path)))}
	if len(kept) > 1 {
		dir := strings.TrimSuffix(kept[0].At, kept[0].Path)
		n.Text = fmt.Sprintf("%s and %d more: %s; they are kept in %s", kept[0].Path, len(kept)-1, plural(why), b.fromRoot(dir))
		n.Hint = fmt.Sprintf("to have them back: cp -a %s %s", diag.ShellWord(host(dir)+"/."), diag.ShellWord(host("/")))
	}
	return []messages.Note{n}
}

// fromRoot spells a name relative to the root of the workspace; one whose place lies elsewhere, as it lies on the host.
func (b *builder) fromRoot(name string) string {
	host := b.r.o.FS.HostPath(name)
	if in, ok := strings.CutPrefix(host, strings.TrimSuffix(b.r.o.FS.HostPath("/"), "/")+"/"); ok {
		return in
	}
	return host
}

func plural(why string) string { return strings.Replace(why, "was ", "were ", 1) }

// markRunning writes down that the task is about to run, and what there is now: should nobody write down how it ended, all else
// that matches its outputs is suspect.
func (b *builder) markRunning(j *job) {
	if len(j.task.Outputs) == 0 {
		return
	}
	left := &j.left
	own := slices.DeleteFunc(slices.Clone(left.was.Files), func(p state.Produced) bool { return p.Found })
	found := j.before.Found(func(p string) bool { return left.own(p) || j.isSource(p) })
	left.marked = true
	left.began = b.r.o.State.WriteProducts(state.Products{Task: j.task.ID.String(), Key: left.was.Key, At: b.r.o.Clock.Now().Unix(),
		Files: state.MergeProduced(own, found), Running: true, Unfinished: left.was.Unfinished, Spans: left.was.Spans})
	if left.began == 0 {
		left.began = b.r.o.State.Stamp()
	}
}

// endAttempt writes down what a process has left that failed and is to be followed by another one: for that, and for any other haz, it
// is what any failed execution has left. The locks are given back, since the time to the next attempt may be long.
func (b *builder) endAttempt(j *job, m messages.EndAttempt) any {
	if !b.enter(j) {
		return nil
	}
	defer b.leave(j)
	b.releaseOutputs(j, true)
	j.left, j.hasProducts, j.lookedAgain = leftovers{}, false, false
	b.unlock(j)
	return messages.AttemptEnded(m)
}

// writeProducts writes down what the task made in a run that came to a good end.
func (b *builder) writeProducts(j *job, files []state.Produced) {
	l := state.Products{Task: j.task.ID.String(), Key: j.derived.Key, At: b.r.o.Clock.Now().Unix(), Files: files, Spans: j.left.was.Spans}
	if j.left.marked {
		l.Spans = state.AddSpan(l.Spans, b.span(j))
	}
	b.r.o.State.WriteProducts(l)
}

func (b *builder) span(j *job) state.Span {
	return state.Span{From: j.left.began, To: b.r.o.State.Stamp()}
}

// releaseOutputs writes down what a task has left that did not come to a good end: what it was seen to write is the task's, but
// nothing that its next execution may build upon. Where no process was started, all is as before.
func (b *builder) releaseOutputs(j *job, ran bool) {
	left := &j.left
	defer left.taken.Drop()
	if !left.marked && !left.taken.Any() || j.listed {
		return
	}
	l := left.was
	l.Task, l.Running, l.Unfinished = j.task.ID.String(), false, l.Unfinished || l.Running
	if !ran {
		left.taken.PutBack(nil)
	} else {
		wrote := outputs.Written(context.Background(), b.r.o.FS, workspace.Patterns(j.task.Outputs), j.before, left.own, j.isSource)
		l.Key, l.At, l.Unfinished = j.derived.Key, b.r.o.Clock.Now().Unix(), true
		l.Files = state.MergeProduced(l.Files, wrote)
		l.Spans = state.AddSpan(l.Spans, b.span(j))
	}
	b.r.o.State.WriteProducts(l)
}
