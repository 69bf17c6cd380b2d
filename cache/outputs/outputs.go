// Package outputs decides what a task has produced: snapshot before the process, attribution after it (chapter 2, 4.6).
//
// Outputs are attributed, not just matched (S-22). A tree cannot always tell who made a file; wherever it cannot, the
// result is accepted but not stored: an entry with a file too many overwrites users' work on restore, one with a file too
// few is a wrong hit.
package outputs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/pattern"
)

// Request is what Collect has to know.
type Request struct {
	Task     string
	Tree     *tree.Tree        // of the run, which knows where haz's own lies; its listings are not used. May be nil
	Patterns []pattern.Pattern // anchored
	Before   *Snapshot
	// Products of this task: what was kept for it when it began. Empty where its earlier outputs were taken away.
	Products state.Products
	// Source reports whether the input patterns of the task match a path; nil: none does.
	Source func(path string) bool
	// Defines reports whether a path is a file that says what the tasks are: it is nobody's output; nil: there is none.
	Defines func(path string) bool
	// Input: stat and digest that the key has for a path.
	Input func(path string) (fsys.Info, digest.Digest, bool)
	// MadeBy: the other task that claimed path in this run or lists it in its product list, "" when none. Only tasks that exist and
	// whose patterns still match count; the caller sees to that.
	MadeBy func(path string) string
	// Spell says how a path is written in messages; nil: as it is.
	Spell func(path string) string
	// Texts is how the patterns are written in messages; nil: workspace-absolute.
	Texts []string
	// DirMode is the mode that a plain mkdir gives a directory here: that of directories which need no mention.
	DirMode uint32
	// PresenceOnly: look at presence and kind, digest nothing (cancelled while collecting).
	PresenceOnly bool
}

// RejectKind is the kind of a task error found while collecting.
type RejectKind string

const (
	OutputMissing    RejectKind = "output-missing"
	OutputKind       RejectKind = "output-kind"
	OutputUnreadable RejectKind = "output-unreadable"
)

// A RejectError is a task error: the outputs cannot be accepted.
type RejectError struct {
	Kind   RejectKind
	Path   string // workspace-absolute
	Reason string // "declared output bin/app was not produced"
	Hint   string
	Err    error
}

func (e *RejectError) Error() string { return e.Reason }
func (e *RejectError) Unwrap() error { return e.Err }

// Collected is what a task has produced.
type Collected struct {
	Outputs []entry.Output // sorted by path
	Sources []entry.Output // of these and others, what is an input too, as it is now; sorted by path
	Digest  digest.Digest  // manifest.ProductDigest of outputs and sources; zero with PresenceOnly
	Wrote   []string       // paths written by this task in this run, sorted: what it claims (EXEC-020)
	// NotStorable is the reason why the result must not be stored, "" when nothing speaks against it; with Hint.
	NotStorable string
	Hint        string
	Quiet       bool             // the reason is not worth a note: it is how formatters are
	Produced    []state.Produced // for the product list: Outputs with their stat
}

// Collect resolves the output patterns after a success. The error is *RejectError or ctx.Err().
//
// It says only whether the outputs may be stored. Streams, inputs that moved, violations are the caller's.
func Collect(ctx context.Context, fsy fsys.FS, st *state.State, fn digest.Function, r Request) (*Collected, error) {
	c := &collector{Request: r, ctx: ctx, fs: fsy, literals: map[string]bool{}}
	found, err := tree.New(fsy).WithOwnOf(r.Tree).OutputsAndGit(ctx, r.Patterns, c.enterGit)
	if err != nil {
		return nil, walkError(ctx, err)
	}
	c.at = st.Moment()
	if err := c.checkLiterals(&found); err != nil {
		return nil, err
	}
	c.hidden(r.Before.hiddenBefore())
	c.hidden(found.Hidden)
	for i := range found.Matches {
		if err := c.take(&found.Matches[i]); err != nil {
			return nil, err
		}
	}
	c.specials(found.Specials)
	c.folders(found.Folders)
	c.checkNesting()
	c.checkLinks()
	out := &c.out
	out.NotStorable, out.Hint, out.Quiet = c.notStorable()
	if !r.PresenceOnly {
		out.Digest = manifest.ProductDigest(fn, out.Outputs, out.Sources)
	}
	return out, nil
}

// collector is one Collect under way.
type collector struct {
	Request
	ctx      context.Context
	fs       fsys.FS
	at       *state.Moment // after the walk
	literals map[string]bool
	out      Collected

	// What speaks against storing; of each, the first counts.
	unseen, oddName, unsteady, nested, special, setBits, definition, git, through, edited objection
	bystanders                                                                            bystanders
	sources                                                                               sources

	links []*tree.Match // that match
}

// checkLiterals sees to it that every literal is there and may be an output. The first one in order of declaration that is
// not is the error.
func (c *collector) checkLiterals(found *tree.OutputsFound) error {
	missing := map[string]bool{}
	for _, p := range found.Missing {
		missing[p.String()] = true
	}
	for _, p := range c.Patterns {
		if !p.IsLiteral() {
			continue
		}
		path := p.Path()
		c.literals[path] = true
		m := find(found.Matches, path)
		switch {
		case p.IsFolder() && missing[p.String()]:
			if info, err := c.fs.StatInfo(path); err == nil && info.Kind != fsys.Dir {
				return &RejectError{Kind: OutputKind, Path: path, Reason: fmt.Sprintf("declared output %s is no folder", c.spell(path)),
					Hint: "for whatever lies there write `" + strings.TrimSuffix(c.spell(path), "/") + "`"}
			}
			return c.absent(path, true)
		case m == nil: // it is missing, a folder (PATH-021), or hidden
			if err := c.absent(path, missing[p.String()]); err != nil {
				return err
			}
			continue
		}
		switch m.Info.Kind {
		case fsys.File, fsys.Link, fsys.Dir:
		default:
			return &RejectError{Kind: OutputKind, Path: path, Err: fsys.ErrNotRegular,
				Reason: fmt.Sprintf("declared output %s is a FIFO, socket or device", c.spell(path))}
		}
	}
	return nil
}

// absent is what it means that a literal was not found: surely it is not there, or something hides it. One that can be
// seen behind that was produced, and not storing is enough.
func (c *collector) absent(path string, sure bool) error {
	if !sure {
		_, err := c.fs.Lstat(path)
		switch {
		case err == nil:
			return nil
		case !fsys.LeadsNowhere(err):
			return c.unreadable(path, err)
		}
	}
	return &RejectError{Kind: OutputMissing, Path: path, Reason: fmt.Sprintf("declared output %s was not produced", c.spell(path)), Err: fs.ErrNotExist}
}

func (c *collector) unreadable(path string, err error) error {
	return &RejectError{Kind: OutputUnreadable, Path: path, Err: err,
		Reason: fmt.Sprintf("output %s cannot be read: %v", c.spell(path), fsys.Cause(err))}
}

func walkError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := &RejectError{Kind: OutputUnreadable, Err: err, Reason: fmt.Sprintf("looking for outputs failed: %v", err)}
	var p *fs.PathError
	if errors.As(err, &p) {
		e.Path, e.Reason = p.Path, fmt.Sprintf("looking for outputs, %s could not be read: %v", p.Path, p.Err)
	}
	return e
}

// checkNesting looks for outputs that lie below a link which is an output itself: such a thing cannot be put back.
func (c *collector) checkNesting() {
	links := map[string]bool{}
	for i := range c.out.Outputs {
		if o := &c.out.Outputs[i]; o.Kind == entry.Link {
			links[o.Path] = true
		}
	}
	if len(links) == 0 {
		return
	}
	for i := range c.out.Outputs {
		p := c.out.Outputs[i].Path
		for at := len(p) - 1; at > 0; at-- {
			if p[at] == '/' && links[p[:at]] {
				c.nested.add(fmt.Sprintf("%s is an output below the link %s, which is one too", p, p[:at]))
			}
		}
	}
}

func (c *collector) spell(path string) string {
	if c.Spell != nil {
		return c.Spell(path)
	}
	return path
}

// text is how the pattern of that index is written.
func (c *collector) text(i int) string {
	switch {
	case i >= 0 && i < len(c.Texts):
		return c.Texts[i]
	case i >= 0 && i < len(c.Patterns):
		return c.Patterns[i].String()
	}
	return ""
}

func find(matches []tree.Match, path string) *tree.Match {
	i, ok := slices.BinarySearchFunc(matches, path, func(m tree.Match, p string) int { return strings.Compare(m.Path, p) })
	if !ok {
		return nil
	}
	return &matches[i]
}
