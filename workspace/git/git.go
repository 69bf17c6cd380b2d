// Package git asks git which files changed (chapter 3, 4.4.1 to 4.4.3 and 4.4.6).
//
// It runs the git on the PATH of the environment it is given, and reads what git prints for programs. Git is started with
// os/exec and not with package process: that one is for tasks, which get a session of their own and are swept after a
// cancellation; git is a short child of haz's own, which may as well be interrupted together with it.
//
// Nothing is changed. (One exception is git's own: `git diff` may note in its index that a file which was only touched still
// has the content that the index knows.)
package git

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys/glob"
)

// Mode says which changes are asked for.
type Mode uint8

const (
	WorkTree Mode = iota + 1 // working tree against HEAD, and untracked files (EXEC-027)
	Index                    // index against HEAD, also before the first commit (EXEC-028)
	Since                    // working tree against Options.Revision, and untracked files (EXEC-029)
	Affected                 // the same against the merge base of HEAD and Options.Revision, or a default branch (4.4.6)
)

// rule is what errors of the mode are called.
func (m Mode) rule() string {
	switch m {
	case WorkTree:
		return "EXEC-027"
	case Index:
		return "EXEC-028"
	case Since:
		return "EXEC-029"
	default:
		return "EXEC-026"
	}
}

// Options of Changed.
type Options struct {
	Root string // of the workspace: an absolute host path, symbolic links resolved
	// StartedIn is the directory haz was started in, absolute: a relative GIT_INDEX_FILE is relative to it.
	StartedIn string
	Env       []string // of git, "NAME=value"; git is looked for on its PATH
	Mode      Mode
	Revision  string // Since: required. Affected: "" for the default branch
	// HasRevision says that Revision was given, if only as an empty text, which is refused.
	HasRevision bool
}

// Changes is what changed below the root of the workspace. All lists are sorted, each entry once.
type Changes struct {
	// Paths are workspace-absolute: files, links, and submodules, which count as their own path.
	Paths []string
	// NestedDirs are untracked nested repositories, workspace-absolute, of which git says no more.
	NestedDirs []string
	// Warnings are sentences about paths that no workspace path can spell, and that were left out.
	Warnings []string
}

// Error says why git did not answer. Each of them ends a command (exit 2).
type Error struct {
	Code    string // "EXEC-029"
	Message string // one sentence
	Hint    string
	Causes  []string // what git itself said, a line each
}

func (e *Error) Error() string {
	text := e.Message
	if len(e.Causes) > 0 {
		text += ": " + strings.Join(e.Causes, "; ")
	}
	return text
}

// Diagnostic is the error as a command shows it.
func (e *Error) Diagnostic() diag.Diagnostic {
	return diag.Diagnostic{Code: e.Code, Message: e.Message, Hint: e.Hint, Causes: e.Causes}
}

// Changed asks git. The error is *Error, or that of the context.
func Changed(ctx context.Context, o Options) (Changes, error) {
	r, err := newRepository(ctx, o)
	if err != nil {
		return Changes{}, err
	}
	base := ""
	switch o.Mode {
	case WorkTree:
		base, err = r.head(ctx)
	case Since:
		base, err = r.revision(ctx, o.Revision)
	case Affected:
		base, err = r.base(ctx, o)
	}
	if err != nil {
		return Changes{}, err
	}
	lists, err := r.lists(ctx, base)
	if err != nil {
		return Changes{}, err
	}
	return r.changes(lists), nil
}

// lists asks for changed and for untracked paths, at the same time: both read the whole tree. base is the commit to compare
// with, "" for the index.
func (r *repository) lists(ctx context.Context, base string) (paths []string, err error) {
	// The order of names, external programs, paths relative to here: whatever the user's configuration says of it is undone.
	// Without autoRefreshIndex, files that were only touched would count as changed.
	diff := []string{"-c", "diff.autoRefreshIndex=true", "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-relative",
		"--ignore-submodules=untracked", "--no-color", "-O/dev/null"}
	if base == "" {
		out, err := r.run(ctx, append(diff, "--staged", "--", ".")...)
		return split(out), err
	}
	type answer struct {
		out string
		err error
	}
	untracked := make(chan answer, 1)
	go func() {
		out, err := r.run(ctx, "ls-files", "--others", "--exclude-standard", "-z", "--full-name")
		untracked <- answer{out, err}
	}()
	out, err := r.run(ctx, append(diff, base, "--", ".")...)
	others := <-untracked
	if err == nil {
		err = others.err
	}
	return append(split(out), split(others.out)...), err
}

// split takes a list apart whose entries end with NUL.
func split(out string) []string {
	if out == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
}

// changes turns paths of the repository, relative to its top, into those of the workspace.
func (r *repository) changes(paths []string) Changes {
	var c Changes
	for _, p := range paths {
		rest, below := strings.CutPrefix(p, r.prefix)
		if !below {
			continue
		}
		name, nested := strings.CutSuffix("/"+rest, "/")
		if err := glob.CheckPath(name); err != nil {
			c.Warnings = append(c.Warnings, "git reports the changed path "+diag.Quote(name)+", which no task can name; it is left out")
			continue
		}
		if nested {
			c.NestedDirs = append(c.NestedDirs, name)
		} else {
			c.Paths = append(c.Paths, name)
		}
	}
	for _, list := range []*[]string{&c.Paths, &c.NestedDirs, &c.Warnings} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return c
}

// within returns the path of dir below top, with a slash at its end; "" for top itself.
func within(top, dir string) (prefix string, ok bool) {
	rel, err := filepath.Rel(top, dir)
	switch {
	case err != nil || rel == ".." || strings.HasPrefix(rel, "../"):
		return "", false
	case rel == ".":
		return "", true
	}
	return rel + "/", true
}
