package git

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/process"
)

// repository is the work tree around a workspace.
type repository struct {
	program string
	root    string   // of the workspace
	env     []string // of git
	rule    string
	off     []string // options that switch filter drivers off
	top     string   // of the work tree, on the host
	prefix  string   // of the workspace below the top: "" or "sub/dir/"
}

// open finds the repository around o.Root. Nothing of it is executed, then or later.
func open(ctx context.Context, o Options) (*repository, error) {
	r := &repository{root: o.Root, rule: o.Mode.rule(), env: environment(o.Env, o.StartedIn)}
	var err error
	if r.program, err = find(r.env); err != nil {
		return nil, &Error{Code: r.rule, Message: "git cannot be started", Causes: []string{err.Error()},
			Hint: "this option asks git which files changed: install it, or put it on PATH"}
	}
	return r, r.locate(ctx)
}

// inner is the repository of a submodule at dir, a host path: nil when dir is not the top of a work tree.
func (r *repository) inner(ctx context.Context, dir string) (*repository, error) {
	if _, err := fsys.Machine().Lstat(filepath.Join(dir, ".git")); err != nil {
		return nil, nil
	}
	sub := &repository{program: r.program, rule: r.rule, root: dir, env: innerEnvironment(r.env)}
	if err := sub.locate(ctx); err != nil {
		return nil, err
	}
	if sub.prefix != "" { // its .git is none, and what git found is the repository around it
		return nil, nil
	}
	return sub, nil
}

// locate asks git where the work tree is, and makes sure that it can be asked more.
func (r *repository) locate(ctx context.Context) error {
	out, end, err := r.code(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	if end.failed != nil {
		end.failed.Message = "the workspace " + diag.Quote(r.root) + " is not inside a git work tree"
		return end.failed
	}
	top := strings.TrimSuffix(out, "\n") // one: names may end with more
	prefix, ok := within(top, r.root)
	if real, err := fsys.Machine().RealPath(top); !ok && err == nil {
		top = real
		prefix, ok = within(real, r.root)
	}
	if !ok {
		return &Error{Code: r.rule, Message: "the workspace " + diag.Quote(r.root) + " is not inside the git work tree " + diag.Quote(top) + " that git finds there",
			Hint: "git's setting core.worktree may be wrong"}
	}
	r.prefix, r.top = prefix, top
	if err := r.checkTop(top); err != nil {
		return err
	}
	return r.switchFiltersOff(ctx)
}

// find looks for git on PATH. Relative directories on it are passed over: what lies in a workspace is not what the user calls
// git.
func find(env []string) (string, error) {
	path, set := "", false
	for _, e := range env {
		if value, ok := strings.CutPrefix(e, "PATH="); ok {
			path, set = value, true // the last one counts, as for the process itself
		}
	}
	if !set {
		return "", errors.New("there is no PATH to find git on")
	}
	for _, dir := range filepath.SplitList(path) {
		program := filepath.Join(dir, "git")
		if !filepath.IsAbs(dir) {
			continue
		}
		if info, err := fsys.Machine().StatInfo(program); err == nil && info.Kind == fsys.File && info.Perm&0o111 != 0 {
			return program, nil
		}
	}
	return "", errors.New("there is no program git on PATH (" + diag.Escape(path) + ")")
}

// pipesWait is how long git's pipes may stay open after its end, held by something that it started.
const pipesWait = time.Second

// run runs git in the root of the workspace and returns what it printed; any failure is an error, *Error or that of the
// context.
func (r *repository) run(ctx context.Context, args ...string) (string, error) {
	out, end, err := r.code(ctx, args...)
	if err == nil && end.failed != nil {
		err = end.failed
	}
	return out, err
}

// exit is how git ended; failed is nil for status 0.
type exit struct {
	status int
	failed *Error
}

// code is run for commands whose exit status is an answer.
func (r *repository) code(ctx context.Context, args ...string) (string, exit, error) {
	return r.fed(ctx, nil, args...)
}

// fed is code with a text on standard input. Every git of haz is started here.
func (r *repository) fed(ctx context.Context, input io.Reader, args ...string) (string, exit, error) {
	var out, said bytes.Buffer
	end, err := process.Tool{Program: r.program, Args: slices.Concat(guards, r.off, args), Dir: r.root, Env: r.env,
		Stdin: input, Stdout: &out, Stderr: &said, PipesWait: pipesWait}.Run(ctx)
	switch {
	case ctx.Err() != nil:
		return "", exit{}, ctx.Err()
	case err != nil:
		return "", exit{}, &Error{Code: r.rule, Message: "git cannot be started", Causes: []string{err.Error()}, Hint: "PATH leads to " + diag.Quote(r.program)}
	case end.Status != 0:
		return out.String(), exit{end.Status, &Error{Code: r.rule, Message: "git " + args[0] + " failed (" + end.Text + ")", Causes: quoted(said.String())}}, nil
	}
	return out.String(), exit{}, nil // all that git itself wrote has come
}

// maxQuoted bounds what is quoted of git's complaints.
const maxQuoted = 20

func quoted(said string) []string {
	var lines []string
	for _, line := range strings.Split(said, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if len(lines) == maxQuoted {
			return append(lines, "…")
		}
		lines = append(lines, line)
	}
	return lines
}
