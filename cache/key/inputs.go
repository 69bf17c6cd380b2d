package key

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"syscall"

	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/workspace"
)

// An Error is a task error of kind key: a literal input that is missing or neither file nor folder, an unreadable file, a failed walk.
type Error struct {
	Path   string
	Reason string // sentence without the task: "input /p/a.c does not exist"
	Hint   string
	Err    error
}

func (e *Error) Error() string { return e.Reason }
func (e *Error) Unwrap() error { return e.Err }

// maxWalks is how often the inputs are walked again because something moved between walk and reading.
const maxWalks = 3

// inputs resolves the input patterns of t and digests what they match (5.3).
func (d *Deriver) inputs(ctx context.Context, t *workspace.Task) ([]Input, error) {
	if len(t.Inputs) == 0 {
		return nil, ctx.Err()
	}
	listings := d.o.Tree
	for walks := 1; ; walks++ {
		matches, err := d.walk(ctx, listings, t)
		if err != nil {
			return nil, err
		}
		inputs, err := d.digestAll(ctx, matches)
		if err == nil || walks == maxWalks || !movedMeanwhile(err) {
			return inputs, err
		}
		listings = tree.New(d.o.FS).WithFilesOf(d.o.Tree).WithOwnOf(d.o.Tree)
	}
}

// movedMeanwhile reports whether err may be due to a file that was removed, or made something else, after the walk.
func movedMeanwhile(err error) bool {
	return fsys.LeadsNowhere(err) || errors.Is(err, syscall.EISDIR) || errors.Is(err, fsys.ErrNotRegular)
}

// walk finds what the patterns match, and turns down literals that are neither files nor folders.
func (d *Deriver) walk(ctx context.Context, listings *tree.Tree, t *workspace.Task) ([]tree.Match, error) {
	patterns, exclude := t.Files()
	matches, missing, err := listings.Inputs(ctx, patterns, exclude)
	if err != nil {
		return nil, walkError(ctx, err)
	}
	if len(missing) > 0 {
		p := missing[0]
		return nil, &Error{Path: p.Path(), Reason: fmt.Sprintf("input %s does not exist", p), Err: fs.ErrNotExist}
	}
	for _, p := range patterns {
		if !p.IsLiteral() {
			continue
		}
		m, ok := find(matches, p.Path())
		if !ok {
			return nil, &Error{Path: p.Path(), Reason: fmt.Sprintf("input %s does not exist", p), Err: fs.ErrNotExist}
		}
		if err := checkLiteral(m, p.IsFolder()); err != nil {
			return nil, err
		}
	}
	return matches, nil
}

func walkError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		return &Error{Path: p.Path, Reason: fmt.Sprintf("looking for inputs, %s could not be read: %v", p.Path, p.Err), Err: err}
	}
	return &Error{Reason: fmt.Sprintf("looking for inputs failed: %v", err), Err: err}
}

func find(matches []tree.Match, path string) (*tree.Match, bool) {
	i := sort.Search(len(matches), func(i int) bool { return matches[i].Path >= path })
	if i == len(matches) || matches[i].Path != path {
		return nil, false
	}
	return &matches[i], true
}

// checkLiteral turns down what a literal may not name: it must be a file or a folder, or lead to one; a folder where it says so.
func checkLiteral(m *tree.Match, folder bool) error {
	kind := m.Info.Kind
	e := &Error{Path: m.Path}
	if kind == fsys.Link {
		if kind = m.Target.Kind; kind == fsys.Unknown {
			e.Reason, e.Err = fmt.Sprintf("input %s is a link to nothing (%q)", m.Path, m.LinkText), fs.ErrNotExist
			return e
		}
	}
	switch kind {
	case fsys.Dir:
		return nil
	case fsys.File:
		if !folder {
			return nil
		}
		e.Reason = fmt.Sprintf("input %s/ is a file, not a folder", m.Path)
		e.Hint = "write `" + m.Path + "`"
		e.Err = syscall.ENOTDIR
	default:
		e.Reason = fmt.Sprintf("input %s is a FIFO, socket or device, not a regular file", m.Path)
		e.Err = fsys.ErrNotRegular
	}
	return e
}

func (d *Deriver) digestAll(ctx context.Context, matches []tree.Match) ([]Input, error) {
	inputs := make([]Input, 0, len(matches))
	at := d.o.State.Moment() // the walk is over
	for i := range matches {
		in, ok := newInput(&matches[i])
		if !ok {
			continue
		}
		if err := d.digest(ctx, at, &in); err != nil {
			return nil, err
		}
		inputs = append(inputs, in)
	}
	return inputs, nil
}

// newInput is the input that a match is, without digest. ok is false for what counts as none.
func newInput(m *tree.Match) (in Input, ok bool) {
	in = Input{Path: m.Path, Info: m.Info}
	switch m.Info.Kind {
	case fsys.File:
		in.Kind = FileInput
	case fsys.Dir:
		in.Kind = DirInput
		return in, m.Empty
	case fsys.Link:
		in.Kind, in.LinkText = LinkInput, m.LinkText
		switch {
		case m.Entered:
			in.Target = TargetDir
		case m.Target.Kind == fsys.File:
			in.Target, in.TargetInfo = TargetFile, m.Target
		case m.Target.Kind == fsys.Unknown:
			in.Target = TargetAbsent
		default:
			return in, false // to a special file, or to a directory that was entered under another name
		}
	default:
		return in, false
	}
	return in, true
}

// hasContent reports whether reading the input yields bytes.
func (in *Input) hasContent() bool {
	return in.Kind == FileInput || in.Kind == LinkInput && in.Target == TargetFile
}

// content is the stat of what reading yields.
func (in *Input) content() *fsys.Info {
	if in.Kind == LinkInput {
		return &in.TargetInfo
	}
	return &in.Info
}

// digest reads the content, where there is one, and leaves the stat that belongs to it.
func (d *Deriver) digest(ctx context.Context, at *state.Moment, in *Input) error {
	if !in.hasContent() {
		in.Sure = true // kind and text were read just now
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	info := in.content()
	r, err := at.Digest(ctx, in.Path, *info)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &Error{Path: in.Path, Reason: fmt.Sprintf("input %s cannot be read: %v", in.Path, fsys.Cause(err)), Err: err}
	}
	*info = r.Info
	in.Digest, in.Sure = r.Digest, r.Sure
	in.Exec = r.Info.Perm&0o100 != 0
	return nil
}
