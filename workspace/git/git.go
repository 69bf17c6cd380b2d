// Package git asks git which files changed (chapter 3, 4.4.1 to 4.4.3 and 4.4.6).
//
// It runs the git on the PATH of the environment it is given, and reads what git prints for programs. Git is started with
// os/exec and not with package process: that one is for tasks, which get a session of their own and are swept after a
// cancellation; git is a short child of haz's own, which may as well be interrupted together with it.
//
// Nothing is changed, and nothing is executed that the repository names: see guards.
package git

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
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
	// Paths are workspace-absolute: files, links, submodules, which count as their own path, and all of them under each name
	// that a link gives them.
	Paths []string
	// NestedDirs are directories, workspace-absolute, of which no more is known than that something below them changed, or all:
	// untracked nested repositories, links to directories, submodules that came or went.
	NestedDirs []string
	// Tracked are the definition files that git knows: those of projects, and what lies in .haz.
	Tracked []string
	// Warnings are sentences about paths that no workspace path can spell, and that were left out.
	Warnings []string
	// Base is what was compared with; but for Affected it has no name. Staged, of Index alone, is what was compared with it.
	Base, Staged *Base
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
	r, err := open(ctx, o)
	if err != nil {
		return Changes{}, err
	}
	q := question{staged: o.Mode == Index, untracked: o.Mode != Index, inner: o.Mode == Affected, where: []string{"."}}
	base := &Base{r: r}
	switch o.Mode {
	case WorkTree:
		q.commit, err = r.head(ctx)
	case Index:
		q.commit, err = r.headOrNothing(ctx)
	case Since:
		q.commit, err = r.revision(ctx, o.Revision)
	case Affected:
		if base, err = r.base(ctx, o); err == nil {
			q.commit = base.Commit
		}
	}
	if err == nil {
		base.Commit = q.commit
	}
	if err != nil {
		return Changes{}, err
	}
	f, err := r.ask(ctx, q)
	if err == nil {
		err = r.follow(ctx, q, f)
	}
	if err != nil {
		return Changes{}, err
	}
	c := r.changes(f)
	c.Base = base
	if o.Mode == Index {
		c.Staged = &Base{r: r, staged: true}
	}
	return c, nil
}

// split takes a list apart whose entries end with NUL.
func split(out string) []string {
	if out == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
}

// changes turns paths of the repository, relative to its top, into those of the workspace.
func (r *repository) changes(f *found) Changes {
	var c Changes
	spell := func(list []string, warn bool) (names []string) {
		for _, p := range list {
			rest, below := strings.CutPrefix(p, r.prefix)
			if !below {
				continue
			}
			name := "/" + rest
			if err := pattern.CheckPath(name); err == nil || rest == "" {
				names = append(names, name)
			} else if warn {
				c.Warnings = append(c.Warnings, "git reports the changed path "+diag.Quote(name)+", which no task can name; it is left out")
			}
		}
		slices.Sort(names)
		return slices.Compact(names)
	}
	c.Paths, c.NestedDirs, c.Tracked = spell(f.paths, true), spell(f.dirs, true), spell(f.definitions, false)
	if slices.ContainsFunc(f.dirs, func(d string) bool { return strings.HasPrefix(r.prefix, d+"/") || d == "" }) {
		c.NestedDirs = append([]string{"/"}, c.NestedDirs...)
	}
	slices.Sort(c.Warnings)
	c.Warnings = slices.Compact(c.Warnings)
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
