// Package key leads from a task to its cache key: resolves and digests inputs, composes the action, explains differences
// (chapter 2, section 5).
//
// Two actions that could differ in their result have different keys, and equal actions of a task have equal ones: locks, caps and
// soft edges are not in the key.
package key

import (
	"cmp"
	"context"
	"sync"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/packages"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/cache/tools"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/workspace"
)

// Place is component 1: what machine.
type Place struct {
	OS, Arch string
	Umask    uint32 // for Options without one
}

// Deriver derives keys. Safe for concurrent use.
//
// A key is the digest of a preimage (chapter 2, 5.2): the components of the action in a fixed order, as lines of text that have one
// spelling each (package text), lists sorted. So two preimages are equal only when all components are, and no text can be
// read as the end of one and the beginning of the next. Nothing but those components goes in: neither the time nor the order of
// anything, nor who asks; so a key is a function of the task, of its upstreams' digests, of the place and of the bytes of its
// inputs, and the same on every machine where these are. The stat index only saves reading: with it lost keys are the same.
type Deriver struct {
	o        Options
	fileVars sync.Map // *workspace.Task → []variable: what its files said when its key was derived last
}

// Options of a Deriver.
type Options struct {
	FS    fsys.FS
	Tree  *tree.Tree // its listings serve Derive; Moved looks afresh
	State *state.State
	Hash  digest.Function
	Place Place
	Umask uint32 // of every task (EXEC-031)
	Root  string // of the workspace, on the host: what HAZ_WORKSPACE_ROOT says (EXEC-032)
	Host  HostEnv
	// Env looks up what Host does not have, for who has no list of all variables: of PREFIX_* and LC_* nothing passes then. It may be nil.
	Env func(name string) (value string, ok bool)
	// Tools finds the programs of tasks; nil: keys hold none.
	Tools *tools.Finder
	// Packages finds what projects reach in lock files. It may be nil where no task has $lock.
	Packages *packages.Finder
	// Made reports whether a name in the workspace is an output of a task that counts in the key of t as an upstream; nil: none is.
	Made func(t *workspace.Task, name string) bool
}

// NewDeriver makes a Deriver.
func NewDeriver(o Options) *Deriver {
	o.Umask = cmp.Or(o.Umask, o.Place.Umask)
	o.Host.look = o.Env
	return &Deriver{o: o}
}

// InputKind is the kind byte of an input.
type InputKind byte

const (
	FileInput InputKind = 'f'
	LinkInput InputKind = 'l'
	DirInput  InputKind = 'd' // an empty directory that itself matches
)

// What a link among the inputs leads to.
const (
	TargetAbsent = 0x00 // nothing, or a loop
	TargetFile   = 0x01
	TargetDir    = 0x02 // a directory that the walk entered
)

// Input is one input of a key, with its stat at key time.
type Input struct {
	Path       string
	Kind       InputKind
	Exec       bool // the owner may execute the content
	Digest     digest.Digest
	LinkText   string
	Target     byte // of a link
	Info       fsys.Info
	TargetInfo fsys.Info // of a link to a file
	// Sure says that equal stats prove equal content; otherwise the file was too young when it was digested (5.4).
	Sure bool
}

// Derived is a key and what it was made of.
type Derived struct {
	Key       digest.Digest
	Inputs    []Input          // sorted by path
	Locks     []packages.Found // sorted by the name of the lock file
	Upstreams []Upstream       // by project, then task
	Tools     []tools.Tool     // by name
}

// Derive resolves and digests the inputs of t and composes the key. The error is *Error or ctx.Err(); work is abandoned
// between files, and inside of long ones.
func (d *Deriver) Derive(ctx context.Context, t *workspace.Task, ups []Upstream) (*Derived, error) {
	at := &Derived{Upstreams: Sorted(ups)}
	var err error
	for walks := 1; ; walks++ {
		if at.Inputs, err = d.inputs(ctx, t); err != nil {
			return nil, err
		}
		moved, err := d.readEnvFiles(ctx, t, at)
		if err != nil {
			return nil, err
		}
		if !moved {
			break
		}
		if walks == maxWalks {
			return nil, &Error{Path: t.EnvFiles[0].Pattern.Path(), Reason: "a file of variables changes all the time: " + t.EnvFiles[0].Pattern.Path()}
		}
	}
	if at.Locks, err = d.locks(ctx, t); err != nil {
		return nil, err
	}
	if at.Tools, err = d.tools(ctx, t, at); err != nil {
		return nil, err
	}
	at.Key = d.components(t, at).key()
	return at, nil
}

// Preimage is the text that the key of at is the digest of (5.2), its last line being the key. Values of variables are in it as
// digests, which are not salted: whoever has few enough to try finds them out.
func (d *Deriver) Preimage(t *workspace.Task, at *Derived) []byte {
	c := d.components(t, at)
	var w text.Writer
	c.write(&w)
	w.Seal(c.hash)
	return w.B
}

func (c *components) key() digest.Digest {
	scratch := scratches.Get().(*[]byte)
	w := text.Writer{B: (*scratch)[:0]}
	c.write(&w)
	key := w.Sum(c.hash)
	if cap(w.B) <= maxScratch {
		*scratch = w.B
	}
	scratches.Put(scratch)
	return key
}

// maxScratch is how large a buffer may be to be kept for the next key.
const maxScratch = 4 << 20

var scratches = sync.Pool{New: func() any {
	b := make([]byte, 0, 4096)
	return &b
}}

// Umask is that of every task.
func (d *Deriver) Umask() uint32 { return d.o.Umask }

// DirMode is the mode that a plain mkdir of a task gives a directory.
func (d *Deriver) DirMode() uint32 { return 0o777 &^ d.o.Umask }
