// Package packages tells what a project reaches in a lock file, for its cache keys (haz::cfg::114): a digest of packages, versions and what
// else pins them, in place of the bytes of the file.
//
// Reading a lock file takes long, so what was found is kept, by all that it hangs on (table.go). Where a lock file does not tell, its bytes
// count: a key that knows too much costs a miss, one that knows too little costs wrong bytes.
package packages

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/lockfile"
)

// How a project's packages are known.
type How byte

const (
	Absent  How = iota // there is no lock file
	Whole              // by the bytes of the lock file
	Reached            // by the packages that the project reaches
)

// Found is what a key has of a lock file.
type Found struct {
	Lock   *workspace.Lock
	How    How
	Digest digest.Digest // zero when absent
	Count  int           // of packages reached

	files []file
}

// file is a lock file, as it was.
type file struct {
	read  state.Read
	there bool
}

// Same reports whether two are one to a key.
func (f *Found) Same(o *Found) bool { return f.How == o.How && f.Digest == o.Digest }

// Options of a Finder.
type Options struct {
	FS    fsys.FS // of the workspace
	State *state.State
	Hash  digest.Function
}

// Finder finds what projects reach. Safe for concurrent use.
type Finder struct {
	o Options

	mu      sync.Mutex
	members map[*workspace.Lock]digest.Digest
	tables  map[digest.Digest]*table // by what they hang on
}

// New makes a Finder.
func New(o Options) *Finder {
	return &Finder{o: o, members: map[*workspace.Lock]digest.Digest{}, tables: map[digest.Digest]*table{}}
}

// maxReads is how often a lock file is read again because it changed between two looks.
const maxReads = 3

var errMoved = errors.New("it changes all the time")

// An Error says which lock file cannot be read.
type Error struct {
	File string
	Err  error
}

func (e *Error) Error() string {
	return fmt.Sprintf("the lock file %s cannot be read: %v", e.File, fsys.Cause(e.Err))
}
func (e *Error) Unwrap() error { return e.Err }

// Find finds what the project in a folder reaches. The error is *Error, where a lock file that is there cannot be read, or that of ctx.
func (f *Finder) Find(ctx context.Context, l *workspace.Lock, dir string) (Found, error) {
	for reads := 1; ; reads++ {
		found, err := f.find(ctx, l, dir)
		if !errors.Is(err, errMoved) || reads == maxReads {
			return found, err
		}
	}
}

func (f *Finder) find(ctx context.Context, l *workspace.Lock, dir string) (Found, error) {
	found := Found{Lock: l, files: make([]file, len(l.Files))}
	some := false
	for i, name := range l.Files {
		r, err := f.o.State.Digest(ctx, name, fsys.Info{})
		switch {
		case ctx.Err() != nil:
			return found, ctx.Err()
		case err == nil:
			found.files[i], some = file{r, true}, true
		case !fsys.Absent(err):
			return found, &Error{name, err}
		}
	}
	if !some {
		return found, nil
	}
	found.How, found.Digest = Whole, f.whole(l, found.files)
	at, member := l.Places[dir]
	if !member || l.Members[at].Untold {
		return found, nil
	}
	t, err := f.table(ctx, l, &found)
	if err != nil {
		return found, err
	}
	if row, told := t.rows[dir]; told {
		found.How, found.Digest, found.Count = Reached, row.digest, row.count
	}
	return found, nil
}

// Untold says why all of the lock file counts for a project, of which Find says so.
func (f *Finder) Untold(ctx context.Context, found *Found, dir string) error {
	l := found.Lock
	if at, member := l.Places[dir]; member && !l.Members[at].Untold {
		if t, err := f.table(ctx, l, found); err != nil {
			return err
		} else if t.bad != nil {
			return &Broken{t.bad}
		}
	}
	return errUntold
}

// Broken says what is wrong with a lock file.
type Broken struct{ Err error }

func (b *Broken) Error() string { return b.Err.Error() }
func (b *Broken) Unwrap() error { return b.Err }

var errUntold = errors.New("what the project reaches cannot be told from it")

// whole is the digest of lock files as a whole.
func (f *Finder) whole(l *workspace.Lock, files []file) digest.Digest {
	if len(files) == 1 {
		return files[0].read.Digest
	}
	var w text.Writer
	for i, name := range l.Files {
		w.Line("file")
		w.Str(name)
		if files[i].there {
			w.Digest(files[i].read.Digest)
		}
	}
	return w.Sum(f.o.Hash)
}

// Fate is what became of what was found.
type Fate byte

const (
	Untouched Fate = iota
	Rewritten      // what counts is what it was, but somebody wrote to the lock file
	Moved
)

// Again looks at lock files a second time.
func (f *Finder) Again(ctx context.Context, was *Found, dir string) (now Found, fate Fate, err error) {
	same := true
	for i, name := range was.Lock.Files {
		info, err := f.o.FS.StatInfo(name)
		is := &was.files[i]
		same = same && (is.there && err == nil && is.read.Sure && is.read.Info.Same(info) || !is.there && fsys.Absent(err))
	}
	if same {
		return *was, Untouched, nil
	}
	now, err = f.Find(ctx, was.Lock, dir)
	var unreadable *Error
	switch {
	case errors.As(err, &unreadable):
		return now, Moved, nil // it could be read before
	case err != nil:
		return now, Moved, err
	case !now.Same(was):
		return now, Moved, nil
	}
	for i := range now.files {
		a, b := &was.files[i].read, &now.files[i].read
		if !a.Info.Same(b.Info) || a.Digest != b.Digest {
			return now, Rewritten, nil
		}
	}
	return now, Untouched, nil
}

// read reads lock files, of which the digests are known.
func (f *Finder) read(l *workspace.Lock, files []file) (*lockfile.Lock, error) {
	var all []byte
	for i, name := range l.Files {
		if !files[i].there {
			continue
		}
		data, _, err := f.o.FS.ReadFile(name, lockfile.Max)
		switch {
		case errors.Is(err, fsys.ErrTooLong):
			return nil, &Broken{fmt.Errorf("it has more than %d MiB", lockfile.Max>>20)}
		case err != nil && !fsys.Absent(err):
			return nil, err
		case err != nil || hasher.Sum(f.o.Hash, data) != files[i].read.Digest:
			return nil, errMoved
		}
		if all = append(all, data...); len(all) > 0 && all[len(all)-1] != '\n' {
			all = append(all, '\n')
		}
	}
	lock, err := lockfile.Read(path.Base(l.File), all)
	if err != nil {
		return nil, &Broken{err}
	}
	return lock, nil
}
