package haz

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/haz-build/haz/diag"
)

// What a host asks for wrongly is an error of the call, told before anything is done: never a panic later, in a goroutine that is not
// the host's.

var (
	errNoContext = errors.New("the context is nil")
	errNotOpen   = errors.New("the workspace is not one that Open returned")
	errNoCache   = errors.New("the cache is not one that OpenCache returned")
	errOtherPlan = errors.New("the plan is not one of this workspace")
)

// ready is the error of a call that a workspace cannot answer at all.
func (w *Workspace) ready(ctx context.Context) error {
	if ctx == nil {
		return errNoContext
	}
	return w.opened()
}

func (w *Workspace) opened() error {
	if w == nil || w.W == nil || w.G == nil || w.FS == nil {
		return errNotOpen
	}
	return nil
}

// ready is the error of a call that a cache cannot answer at all.
func (c *Cache) ready(ctx context.Context) error {
	switch {
	case ctx == nil:
		return errNoContext
	case c == nil || c.store == nil:
		return errNoCache
	}
	return nil
}

// targets is the error when one of them is no position in w.W.Tasks, or comes twice. None at all are a run of nothing.
func (w *Workspace) targets(targets []int) error {
	seen := make([]bool, len(w.W.Tasks))
	for _, t := range targets {
		switch {
		case t < 0 || t >= len(seen):
			return fmt.Errorf("there is no task at position %d: the workspace has %d, counted from 0", t, len(seen))
		case seen[t]:
			return fmt.Errorf("task %s, at position %d, is a target twice", diag.Quote(w.W.Tasks[t].ID.String()), t)
		}
		seen[t] = true
	}
	return nil
}

// planned is the error when a plan is not one of this workspace.
func (w *Workspace) planned(plan *Plan) error {
	if plan == nil || plan.G != w.G {
		return errOtherPlan
	}
	return nil
}

// absolute is the error when a directory is no absolute path: what it is relative to is not for us to guess.
func absolute(dir string) error {
	if !path.IsAbs(dir) {
		return fmt.Errorf("the directory is no absolute path: %s", diag.Quote(dir))
	}
	return nil
}

// withinRoot is the error when a directory of a project is not spelled as in a workspace file: "/lib".
func withinRoot(dir string) error {
	if !path.IsAbs(dir) || dir != path.Clean(dir) {
		return fmt.Errorf("the root of a project is no path from the root of the workspace: %s", diag.Quote(dir))
	}
	return nil
}
