package key

import (
	"context"
	"errors"
	"slices"

	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/workspace"
)

// Changes is what a second look found: workspace paths, sorted.
type Changes struct {
	Moved []string // added, removed, or another than at key time
	// Rewritten have the bytes that they had, but were written, or put there, again: what they held in between nobody knows.
	Rewritten []string
}

// Any reports whether anything at all was touched.
func (c *Changes) Any() bool { return len(c.Moved)+len(c.Rewritten) > 0 }

func (c *Changes) sort() {
	for _, list := range []*[]string{&c.Moved, &c.Rewritten} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
}

// Moved walks the input patterns again and compares with key time (S-23). Paths for which exempt (may be nil) is true are
// left out: own outputs that the task wrote.
//
// Inputs are compared by their stat. One that was too young at key time for this to prove anything is digested again, and so
// is one whose stat is another. The listings of the Tree are not used: they are of key time. The error is *Error or ctx.Err().
func (d *Deriver) Moved(ctx context.Context, t *workspace.Task, at *Derived, exempt func(path string) bool) (Changes, error) {
	return d.look(ctx, t, at, exempt, false)
}

// Refresh is Moved before the task starts, when nobody has read its inputs yet: those that were rewritten are noted as they
// are now, and what Moved finds later has happened since.
func (d *Deriver) Refresh(ctx context.Context, t *workspace.Task, at *Derived) (moved []string, err error) {
	c, err := d.look(ctx, t, at, nil, true)
	return c.Moved, err
}

func (d *Deriver) look(ctx context.Context, t *workspace.Task, at *Derived, exempt func(path string) bool, refresh bool) (Changes, error) {
	if len(t.Inputs) == 0 {
		return Changes{}, ctx.Err()
	}
	tree := tree.New(d.o.FS).WithFilesOf(d.o.Tree).WithOwnOf(d.o.Tree)
	patterns, exclude := t.Files()
	matches, missing, err := tree.Inputs(ctx, patterns, exclude)
	if err != nil {
		return Changes{}, walkError(ctx, err)
	}
	var c Changes
	note := func(list *[]string, path string) {
		if exempt == nil || !exempt(path) {
			*list = append(*list, path)
		}
	}
	// A literal that is gone was an input at key time, so it is found as removed below; but not when it is one now only.
	for _, p := range missing {
		if _, was := at.find(p.String()); !was {
			note(&c.Moved, p.String())
		}
	}
	was, moment := at.Inputs, d.o.State.Moment() // the walk is over
	for i := range matches {
		now, ok := newInput(&matches[i])
		if !ok {
			continue
		}
		for len(was) > 0 && was[0].Path < now.Path {
			note(&c.Moved, was[0].Path)
			was = was[1:]
		}
		if len(was) == 0 || was[0].Path != now.Path {
			note(&c.Moved, now.Path)
			continue
		}
		fate, err := d.changed(ctx, moment, &was[0], &now)
		switch {
		case err != nil:
			return Changes{}, err
		case fate == moved:
			note(&c.Moved, now.Path)
		case fate == rewritten && refresh:
			was[0] = now
		case fate == rewritten:
			note(&c.Rewritten, now.Path)
		}
		was = was[1:]
	}
	for i := range was {
		note(&c.Moved, was[i].Path)
	}
	if err := d.locksAgain(ctx, t, at, note, &c, refresh); err != nil {
		return Changes{}, err
	}
	c.sort()
	return c, nil
}

// fate is what became of one input.
type fate uint8

const (
	untouched fate = iota
	rewritten
	moved
)

// changed compares an input with key time, and digests now where that is needed.
func (d *Deriver) changed(ctx context.Context, at *state.Moment, was, now *Input) (fate, error) {
	if was.Kind != now.Kind || was.LinkText != now.LinkText || was.Target != now.Target {
		return moved, nil
	}
	same := was.Info.Same(now.Info) && was.TargetInfo.Same(now.TargetInfo)
	switch {
	case same && was.Sure:
		return untouched, nil
	case !same && !now.hasContent():
		return moved, nil
	}
	if err := d.digest(ctx, at, now); err != nil {
		var e *Error
		if errors.As(err, &e) {
			return moved, nil // it could be read at key time
		}
		return moved, err
	}
	switch {
	case was.Digest != now.Digest || was.Exec != now.Exec:
		return moved, nil
	case !same || !was.content().Same(*now.content()):
		return rewritten, nil
	}
	return untouched, nil
}
