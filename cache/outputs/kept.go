package outputs

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
)

// Kept is what a completed task has in the tree, for the second looks of the tasks that come after it (S-23). Safe for
// concurrent use. Until the first look it costs nothing.
type Kept struct {
	Task string

	mu      sync.Mutex
	files   []state.Produced // sorted by path
	listed  bool             // the task's product list on disk lists the same
	settled []bool           // by file: its bytes were read later than its change time, so that an equal stat proves them
	mark    state.Mark       // of a product list that lists the same
}

// Keep takes note of the files, which are not copied. listed says that the task's product list on disk lists the same ones, so that
// a look at it tells whether another haz has made the task's outputs again.
func Keep(task string, files []state.Produced, listed bool) *Kept {
	return &Kept{Task: task, files: files, listed: listed}
}

// Renew replaces what was kept: the same outputs were put into the tree anew, and the task's product list lists them.
func (k *Kept) Renew(files []state.Produced) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.files, k.listed, k.settled, k.mark = files, true, nil, state.Mark{}
}

// Len is how many files there are.
func (k *Kept) Len() int { return len(k.list()) }

func (k *Kept) list() []state.Produced {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.files
}

// Has reports whether path is among them.
func (k *Kept) Has(path string) bool {
	_, ok := slices.BinarySearchFunc(k.list(), path, func(f state.Produced, p string) int { return strings.Compare(f.Path, p) })
	return ok
}

// Paths yields the paths.
func (k *Kept) Paths(yield func(string) bool) {
	files := k.list()
	for i := range files {
		if !yield(files[i].Path) {
			return
		}
	}
}

// Moved calls moved for each file that is another than the task left it, and rewritten for each that has its bytes, but was
// written, or put there, again. Paths for which skip is true are not looked at. The error is ctx.Err().
func (k *Kept) Moved(ctx context.Context, fs fsys.FS, st *state.State, skip func(string) bool, moved, rewritten func(path string)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.settled == nil {
		k.settled = make([]bool, len(k.files))
	}
	for i := range k.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		f := &k.files[i]
		if skip(f.Path) {
			continue
		}
		switch k.look(ctx, fs, st, f, &k.settled[i]) {
		case isMoved:
			moved(f.Path)
		case isRewritten:
			rewritten(f.Path)
		}
	}
	return ctx.Err()
}

// fate is what became of a kept file.
type fate uint8

const (
	isUntouched fate = iota
	isRewritten
	isMoved
)

func (k *Kept) look(ctx context.Context, fs fsys.FS, st *state.State, f *state.Produced, proved *bool) fate {
	now, err := fs.Lstat(f.Path)
	if err != nil || now.Kind != f.Info.Kind || now.Kind != fsys.Link && now.Perm != f.Info.Perm {
		return isMoved
	}
	same := now.Same(f.Info)
	switch {
	case now.Kind == fsys.Dir, same && now.Kind != fsys.File, same && *proved, same && !f.HasDigest:
		return isUntouched // the stat of a folder changes with what others put there
	case now.Kind == fsys.Link:
		if text, err := fs.Readlink(f.Path); err != nil || text != f.LinkText {
			return isMoved
		}
		return isRewritten
	}
	clock := st.Clock()
	steady := st.Steady(f.Path, now, clock.MTime)
	r, err := st.Digest(ctx, f.Path, now)
	if err != nil || !f.HasDigest || r.Info.Perm != f.Info.Perm {
		return isMoved
	}
	if r.Digest != f.Digest {
		return isMoved
	}
	if !same || !r.Info.Same(f.Info) {
		return isRewritten
	}
	*proved = r.Sure || steady && settled(now, clock)
	return isUntouched
}

// settled reports whether bytes of a steady file that were read when the clock was seen are proved by a stat that is equal later:
// whatever is written after that gets a later change time. That needs the clock of the very file system, and times that are kept whole:
// one that rounds them to seconds, or to a hundredth of one, shows it by their zeros.
func settled(info, clock fsys.Info) bool {
	return clock.Dev == info.Dev && clock.MTime > info.CTime && info.CTime%int64(10*time.Millisecond) != 0
}

// Remade returns the first task of which another haz has written other outputs into its product list since, or nil.
func Remade(st *state.State, all []*Kept) *Kept {
	tasks := make([]string, len(all))
	for i, k := range all {
		tasks[i] = k.Task
	}
	for i, mark := range st.ProductMarks(tasks) {
		if all[i].remade(st, mark) {
			return all[i]
		}
	}
	return nil
}

func (k *Kept) remade(st *state.State, mark state.Mark) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.listed || mark == k.mark {
		return false
	}
	l := st.Products(k.Task)
	if l.Task == "" {
		return false // it is lost, or could not be written: nothing can be told
	}
	return !k.settledBy(&l, mark)
}

// settledBy reports whether a product list lists what the task left. With one that says so of an execution that came to a good end, its mark is kept.
func (k *Kept) settledBy(l *state.Products, mark state.Mark) bool {
	if len(l.Files) != len(k.files) {
		return false
	}
	for i := range l.Files {
		a, b := &l.Files[i], &k.files[i]
		if a.Path != b.Path || a.Info.Kind != b.Info.Kind || a.Digest != b.Digest || a.LinkText != b.LinkText {
			return false
		}
	}
	if !l.Running && !l.Unfinished {
		k.mark = mark
	}
	return true
}

// Unsettled returns those of which the product lists on disk say that somebody has begun to make them anew, and not that it came to a good
// end. With the locks of the task in hand that is over: it failed, or haz was killed.
func Unsettled(st *state.State, all []*Kept) (list []*Kept) {
	tasks := make([]string, len(all))
	for i, k := range all {
		tasks[i] = k.Task
	}
	for i, mark := range st.ProductMarks(tasks) {
		if all[i].unsettled(st, mark) {
			list = append(list, all[i])
		}
	}
	return list
}

func (k *Kept) unsettled(st *state.State, mark state.Mark) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if mark == k.mark {
		return false
	}
	l := st.Products(k.Task)
	if l.Running || l.Unfinished {
		return true
	}
	k.settledBy(&l, mark)
	return false
}

// Are reports whether what the task left is the outputs of an entry.
func (k *Kept) Are(outs []entry.Output) bool {
	files := k.list()
	return slices.EqualFunc(files, outs, func(f state.Produced, o entry.Output) bool {
		return f.Path == o.Path && f.Digest == o.Digest && f.LinkText == o.Target
	})
}
