package restore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/cache/store"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/pattern"
)

// Target is what a restore has to know about the task whose outputs it puts back.
type Target struct {
	Task     string
	Patterns []pattern.Pattern // output patterns, anchored
	Products state.Products    // of this task
	Key      entry.Key         // of the task now; zero: that of the entry
	// DirMode is the mode that a plain mkdir gives a directory here; 0: unknown.
	DirMode uint32
	// Input looks up a path among the inputs of the key: its stat and digest at key time.
	Input func(path string) (fsys.Info, digest.Digest, bool)
	// NewestInput is the latest mtime of the inputs of the key, in nanoseconds; nil: there are none.
	NewestInput func() int64
	// Defines reports whether a path is a file that says what the tasks are, which no result holds; nil: there is none.
	Defines func(path string) bool
	// Others reports whether another task's product list lists path.
	Others func(path string) bool
}

func (t *Target) isInput(path string) bool {
	if t.Input == nil {
		return false
	}
	_, _, ok := t.Input(path)
	return ok
}

func (t *Target) isOthers(path string) bool { return t.Others != nil && t.Others(path) }

// Work is what a restore has to do.
type Work struct {
	Manifest *manifest.Manifest
	Target   Target
	Nothing  bool // all outputs are right and nothing is stale: only the streams are to be verified (S-33)
	// Recorded, with Nothing, says that the product list says so already. One that does not is written by Restore, so that the task's
	// lock has to be held since before the product list of Target was read, unless Unwritten forbids it.
	Recorded  bool
	Unwritten bool

	prefixes *prefixes
	seen     []fsys.Info          // of each output that is right as it is; zero for those to be written
	links    map[string]fsys.Info // on the way to outputs; none may appear or change from here on
	writes   int
	products state.Products // with Nothing
	stale    []stale
	quick    bool     // an equal stat is enough to know what this task made
	plain    []string // directories whose mode an earlier run has chosen, and this result does not
}

// stale is a path that this task made earlier and that its result does not have any more (S-34).
type stale struct {
	path   string
	prefix string // fixed prefix of the pattern that it matches
	info   fsys.Info
}

// Restorer puts the outputs of entries back into the tree.
type Restorer struct {
	*site.Site
	store   *store.Store
	dirMode uint32

	noUnnamed sync.Map // dev uint64 → true: devices that know of no files without a name
}

// New makes a Restorer. Folders that are made for what lies in them get dirMode, whatever the umask of this process.
func New(s *site.Site, c *store.Store, dirMode uint32) *Restorer {
	return &Restorer{Site: s, store: c, dirMode: dirMode}
}

// Compare is step 1 of a restore (7.5), and finds stale files: what has to be written or removed. It writes nothing to the
// tree. An entry that names a path which no output pattern of the task matches is damaged, and one that would change an
// input of its own key is not restored: people edit a formatter's sources, and nobody's edit is undone.
//
// Contents are compared through the stat index, so a tree whose outputs are all right costs a look at each and no reading.
func (s *Restorer) Compare(ctx context.Context, m *manifest.Manifest, t Target) (*Work, error) {
	p := &Work{Manifest: m, Target: t, prefixes: newPrefixes(t.Patterns), seen: make([]fsys.Info, len(m.Outputs))}
	p.prefixes.takeFolders(m.Outputs)
	w := newWays(s.WS)
	for i := range m.Outputs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		o := &m.Outputs[i]
		prefix, ok := p.prefixes.of(o.Path)
		if !ok {
			return nil, s.store.Damaged(m, fmt.Sprintf("output %s matches no output pattern of %s", o.Path, t.Task))
		}
		if t.Defines != nil && t.Defines(o.Path) {
			return nil, s.store.Damaged(m, fmt.Sprintf("output %s says what the tasks are", o.Path))
		}
		info, right := s.isRight(ctx, w, o, prefix)
		switch {
		case right:
			p.seen[i] = info
		case t.isInput(o.Path):
			return nil, &store.RestoreError{IsInput: true, Path: o.Path, Reason: fmt.Sprintf("the entry would change %s, which is an input", o.Path)}
		default:
			p.writes++
		}
	}
	if err := s.findStale(ctx, p, w); err != nil {
		return nil, err
	}
	p.links = w.links
	p.Nothing = p.writes == 0 && len(p.stale) == 0 && len(p.plain) == 0
	if p.Nothing {
		p.products = (&restore{s: s, p: p}).newProducts()
		p.Recorded = isRecorded(&t.Products, &p.products)
	}
	return p, nil
}

// isRight looks whether the target of o is as recorded. What cannot be looked at is not right.
func (s *Restorer) isRight(ctx context.Context, w *ways, o *entry.Output, prefix string) (fsys.Info, bool) {
	if k, _ := w.to(o.Path, prefix); k != wayDir {
		return fsys.Info{}, false
	}
	info, err := s.WS.Lstat(o.Path)
	if err != nil {
		return info, false
	}
	switch o.Kind {
	case entry.File:
		if info.Kind != fsys.File || info.Perm != o.Mode || info.Size != o.Size {
			return info, false
		}
		d, now, err := s.State.DigestFile(ctx, o.Path, info)
		return now, err == nil && d == o.Digest && now.Same(info)
	case entry.Link:
		if info.Kind != fsys.Link {
			return info, false
		}
		text, err := s.WS.Readlink(o.Path)
		return info, err == nil && text == o.Target
	case entry.Dir:
		if info.Kind == fsys.Link && o.Path == prefix { // its own fixed prefix may lead through a link
			return info, w.look(o.Path) == wayLink
		}
		if info.Kind != fsys.Dir {
			return info, false
		}
		w.seen[o.Path] = wayDir // what lies in it need not look again
		return info, info.Perm&0o777 == o.Mode
	}
	return info, false
}

// findStale looks at what the product list lists and the manifest does not.
func (s *Restorer) findStale(ctx context.Context, p *Work, w *ways) error {
	for i := range p.Target.Products.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		f := &p.Target.Products.Files[i]
		if p.Manifest.Find(f.Path) >= 0 {
			continue
		}
		prefix, info, ok, err := s.isStale(ctx, p, w, f)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return failed(f.Path, err, "%s, which an earlier run has left, cannot be looked at: %v", f.Path, fsys.Cause(err))
		}
		switch {
		case ok:
			p.stale = append(p.stale, stale{path: f.Path, prefix: prefix, info: info})
		case info.Kind == fsys.Dir && f.Info.Kind == fsys.Dir && p.Target.DirMode != 0 && info.Perm&0o777 != p.Target.DirMode && info.Perm == f.Info.Perm:
			p.plain = append(p.plain, f.Path)
		}
	}
	return nil
}

// isStale applies S-34: still matched by an output pattern, made by this task where nothing was, untouched since, no input of
// the key, not made by another task. What cannot be looked at is an error: a hit that leaves it behind might be a wrong one.
func (s *Restorer) isStale(ctx context.Context, p *Work, w *ways, f *state.Produced) (prefix string, info fsys.Info, ok bool, err error) {
	if f.Found || manifest.CheckPath(f.Path) != nil {
		return "", info, false, nil
	}
	if prefix, ok = p.prefixes.of(f.Path); !ok && f.Info.Kind == fsys.Dir {
		prefix, ok = p.prefixes.folder(f.Path)
	}
	if !ok || p.Target.isInput(f.Path) || p.Target.isOthers(f.Path) {
		return "", info, false, nil
	}
	if k, at := w.to(f.Path, prefix); k != wayDir {
		return "", info, false, w.trouble(at)
	}
	if info, err = s.WS.Lstat(f.Path); err != nil {
		if fsys.Absent(err) {
			err = nil
		}
		return "", info, false, err
	}
	look := s.unmodified
	if p.quick {
		look = s.untouched
	}
	if ok, err = look(ctx, f, info); !ok || err != nil {
		return "", info, false, err
	}
	if info.Kind == fsys.Dir {
		list, err := s.WS.List(f.Path)
		return prefix, info, len(list) == 0, err
	}
	return prefix, info, true, nil
}

// Unmodified reports whether what lies at the path of a row is what the task left there. What cannot be looked at is not.
func (s *Restorer) Unmodified(ctx context.Context, f *state.Produced) bool {
	info, err := s.WS.Lstat(f.Path)
	if err != nil {
		return false
	}
	ok, err := s.unmodified(ctx, f, info)
	return ok && err == nil
}

// untouched is unmodified, but believes an equal stat where the file system has times that tell, and fine enough for that: whoever wrote there
// since would have had to do it in the very tick in which the task's haz had looked. Nothing that is stored or keyed goes by it,
// only whether something is kept for somebody.
func (s *Restorer) untouched(ctx context.Context, f *state.Produced, info fsys.Info) (bool, error) {
	const second = int64(time.Second)
	if f.HasDigest && info.Same(f.Info) && info.CTime%second != 0 && s.State.Believes(f.Path, info) {
		return true, nil
	}
	return s.unmodified(ctx, f, info)
}

// unmodified reports whether what lies there now, seen as info, is what the task left there (8.2). A directory is when it
// is still one: nothing but its content could have been edited, and who removes it sees whether it has any.
func (s *Restorer) unmodified(ctx context.Context, f *state.Produced, info fsys.Info) (bool, error) {
	if info.Kind != f.Info.Kind {
		return false, nil
	}
	switch info.Kind {
	case fsys.Dir:
		return true, nil
	case fsys.Special:
		return info.Same(f.Info), nil
	case fsys.Link:
		text, err := s.WS.Readlink(f.Path)
		return err == nil && text == f.LinkText, err
	case fsys.File:
		if !f.HasDigest {
			return info.Same(f.Info), nil
		}
		d, now, err := s.State.DigestFile(ctx, f.Path, info)
		switch {
		case err == nil:
			return d == f.Digest && now.Same(info), nil
		case errors.Is(err, fs.ErrPermission):
			return info.Same(f.Info), nil // whoever took the permission away has changed its ctime
		}
		return false, err
	}
	return false, nil
}
