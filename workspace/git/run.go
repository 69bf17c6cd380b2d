package git

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/haz-build/haz/diag"
)

// repository is the work tree around a workspace.
type repository struct {
	program string
	root    string   // of the workspace
	env     []string // of git
	rule    string
	prefix  string // of the workspace below the top of the work tree: "" or "sub/dir/"
}

func newRepository(ctx context.Context, o Options) (*repository, error) {
	r := &repository{root: o.Root, rule: o.Mode.rule(), env: environment(o.Env, o.StartedIn)}
	var err error
	if r.program, err = find(r.env); err != nil {
		return nil, &Error{Code: r.rule, Message: "git cannot be started", Causes: []string{err.Error()},
			Hint: "this option asks git which files changed: install it, or put it on PATH"}
	}
	out, end, err := r.code(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	if end.failed != nil {
		end.failed.Message = "the workspace " + diag.Quote(o.Root) + " is not inside a git work tree"
		return nil, end.failed
	}
	top := strings.TrimSuffix(out, "\n") // one: names may end with more
	prefix, ok := within(top, o.Root)
	if real, err := filepath.EvalSymlinks(top); !ok && err == nil {
		prefix, ok = within(real, o.Root)
	}
	if !ok {
		return nil, &Error{Code: r.rule, Message: "the workspace " + diag.Quote(o.Root) + " is not inside the git work tree " + diag.Quote(top) + " that git finds there",
			Hint: "git's setting core.worktree may be wrong"}
	}
	r.prefix = prefix
	return r, nil
}

// environment is what git gets. Git exports to its hooks which repository it works on; haz asks about the one around the
// workspace. GIT_INDEX_FILE stays, so that the index of a partial commit is the one that counts.
func environment(env []string, startedIn string) []string {
	clean := make([]string, 0, len(env))
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		switch name {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_PREFIX":
			continue
		case "GIT_INDEX_FILE":
			if value == "" {
				continue
			}
			if !filepath.IsAbs(value) {
				e = name + "=" + filepath.Join(startedIn, value)
			}
		}
		clean = append(clean, e)
	}
	return clean
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
		if info, err := os.Stat(program); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
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
	cmd := exec.CommandContext(ctx, r.program, args...)
	cmd.Dir, cmd.Env = r.root, r.env
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = pipesWait
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", exit{}, ctx.Err()
	}
	var ended *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return out.String(), exit{}, nil // all that git itself wrote has come
	case errors.As(err, &ended):
		name := args[0]
		if name == "-c" {
			name = args[2]
		}
		return out.String(), exit{ended.ExitCode(), &Error{Code: r.rule, Message: "git " + name + " failed (" + ended.String() + ")", Causes: quoted(said.String())}}, nil
	}
	return "", exit{}, &Error{Code: r.rule, Message: "git cannot be started", Causes: []string{err.Error()}, Hint: "PATH leads to " + diag.Quote(r.program)}
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
