package haz

import (
	"context"
	"errors"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/workspace/load"
)

// Checked is what Check has to say.
type Checked struct {
	Tasks       int // effective tasks in scope
	Diagnostics diag.List
}

// Check reads and checks the whole workspace of a directory, always all of it; everything only changes which tasks are
// counted: all of them, or those of the bearing project when there is one (AUX-009, AUX-010). Mistakes of the user are in the
// result, not the error. Nothing is run, and nothing on disk changes.
func Check(ctx context.Context, dir string, everything bool, opts ...Option) (*Checked, error) {
	o, err := openHost(ctx, dir, opts)
	if err != nil {
		return nil, err
	}
	loading := o.loading(ctx, dir)
	loading.Everywhere = true
	ws, root, err := load.Workspace(ctx, o.host, dir, loading)
	c := &Checked{}
	if err != nil {
		var list *diag.Errors
		if !errors.As(err, &list) {
			return nil, err
		}
		c.Diagnostics = append(c.Diagnostics, list.List...)
	}
	if root != nil {
		defer root.Close()
	}
	if ws == nil {
		return c, ctx.Err()
	}
	c.Diagnostics = append(c.Diagnostics, ws.Warnings...)
	g, list := graph.Build(ws)
	c.Diagnostics = append(c.Diagnostics, list...)
	var placed fsys.FS
	if err == nil && g != nil {
		if placed, err = o.place(ws, root); err != nil {
			var list *diag.Errors
			if !errors.As(err, &list) {
				return nil, err
			}
			c.Diagnostics = append(c.Diagnostics, list.List...)
		}
	}
	if err == nil && g != nil {
		for _, t := range ws.Tasks {
			for _, d := range g.Unmet[t.Index] {
				d.Severity = diag.Warning
				c.Diagnostics = append(c.Diagnostics, d)
			}
		}
		w := &Workspace{W: ws, G: g, FS: placed, dir: dir, o: o}
		c.Tasks = len(w.Scope(everything))
		c.Diagnostics = append(append(append(c.Diagnostics, g.Warnings()...), w.patternWarnings(ctx)...), w.programWarnings()...)
		c.Diagnostics = append(c.Diagnostics, w.unreadWarnings()...)
		c.Diagnostics = append(c.Diagnostics, w.lockWarnings(ctx)...)
		c.Diagnostics = append(c.Diagnostics, w.envFileMistakes(w.FS, ws.Tasks)...)
		mistakes := w.projectMistakes(ctx, tree.New(w.FS).WithFiles(w.projectFiles()), ws.Tasks, func(text, hint string) {
			c.Diagnostics = append(c.Diagnostics, diag.Diagnostic{Severity: diag.Warning, Code: "PATH-026", Message: text, Hint: hint})
		})
		c.Diagnostics = append(c.Diagnostics, mistakes...)
	}
	return c, ctx.Err()
}

// openHost fills in the options, the file system of the machine included, when a directory can be asked about.
func openHost(ctx context.Context, dir string, opts []Option) (options, error) {
	if ctx == nil {
		return options{}, errNoContext
	}
	if err := absolute(dir); err != nil {
		return options{}, err
	}
	o := newOptions(opts)
	if o.host == nil {
		host, err := fsys.Host("/")
		if err != nil {
			return o, err
		}
		o.host, o.realHost = host, true
	}
	return o, nil
}
