package looks

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/fsys"
)

// sum names contents.
type sum [sha256.Size]byte

// sumOfEntries is about the entries of a directory in whatever order.
func sumOfEntries(entries []fsys.Entry) sum {
	own := slices.Clone(entries)
	slices.SortFunc(own, func(a, b fsys.Entry) int { return strings.Compare(a.Name, b.Name) })
	var b []byte
	for _, e := range own {
		b = append(append(append(b, e.Name...), 0), byte(e.Kind))
	}
	return sha256.Sum256(b)
}

// sumOfStart is about the beginning of a file, and whether it is all of it.
func sumOfStart(data []byte, whole bool) sum {
	h := sha256.New()
	if whole {
		h.Write([]byte{1})
	} else {
		h.Write([]byte{0})
	}
	h.Write(data)
	return sum(h.Sum(nil))
}

// A Recorder takes note of what others look at. Safe for concurrent use.
type Recorder struct {
	mu      sync.Mutex
	looks   map[asked]answer
	own     []string
	spoiled bool
}

// NewRecorder has seen nothing. own are folders of the workspace that whoever keeps the list makes when they are not there: where one that is
// not there would really lie is given as its name, so that its coming is no change.
func NewRecorder(own ...string) *Recorder {
	return &Recorder{looks: map[asked]answer{}, own: own}
}

// Looks are all that was looked at; false where that is not known: somebody did what is no look, an error does not say what lies there, or
// something changed meanwhile.
func (r *Recorder) Looks() (*List, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spoiled {
		return nil, false
	}
	return &List{looks: sorted(r.looks)}, true
}

// Spoil says that what is worked out hangs on something that is no look.
func (r *Recorder) Spoil() {
	r.mu.Lock()
	r.spoiled = true
	r.mu.Unlock()
}

// Watch is a file system whose looks are taken note of.
func (r *Recorder) Watch(disk Disk, under fsys.FS) fsys.FS { return &watched{r, disk, under} }

// keep takes note of an answer.
func (r *Recorder) keep(q asked, a answer, err error) {
	t, known := troubleOf(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.err = t; !known {
		r.spoiled = true
		return
	}
	if t != none {
		a = answer{err: t}
	}
	if was, again := r.looks[q]; again && was != a {
		r.spoiled = true
	}
	r.looks[q] = a
}

// errNoLook is the answer to what a Recorder does not let through.
var errNoLook = errors.New("what is taken note of is only looked at")

// watched has each method by itself and embeds nothing, so that one which is new tomorrow does not go by unseen.
type watched struct {
	r     *Recorder
	disk  Disk
	under fsys.FS
}

func (w *watched) asked(k kind, name string, limit int64) asked {
	return asked{fsys.Clean(name), w.disk, k, limit}
}

func (w *watched) Lstat(name string) (fsys.Info, error) {
	info, err := w.under.Lstat(name)
	info = given(info)
	w.r.keep(w.asked(lstat, name, 0), answer{info: info}, err)
	return info, err
}

func (w *watched) StatInfo(name string) (fsys.Info, error) {
	info, err := w.under.StatInfo(name)
	info = given(info)
	w.r.keep(w.asked(stat, name, 0), answer{info: info}, err)
	return info, err
}

func (w *watched) Readlink(name string) (string, error) {
	text, err := w.under.Readlink(name)
	w.r.keep(w.asked(readlink, name, 0), answer{text: text}, err)
	return text, err
}

func (w *watched) RealPath(name string) (string, error) {
	k := realPath
	if w.disk == Root && slices.Contains(w.r.own, fsys.Clean(name)) {
		k = ownPath
	}
	real, err := k.realPath(w.under, fsys.Clean(name))
	w.r.keep(w.asked(k, name, 0), answer{text: real}, err)
	return real, err
}

// realPath is where a clean name leads.
func (k kind) realPath(f fsys.FS, name string) (string, error) {
	real, err := f.RealPath(name)
	if k == ownPath && errors.Is(err, fs.ErrNotExist) {
		return name, nil
	}
	return real, err
}

func (w *watched) List(dir string) ([]fsys.Entry, error) {
	entries, err := w.under.List(dir)
	w.r.keep(w.asked(list, dir, 0), answer{sum: sumOfEntries(entries)}, err)
	return entries, err
}

func (w *watched) ReadFile(name string, limit int64) ([]byte, fsys.Info, error) {
	data, info, err := w.under.ReadFile(name, limit)
	w.r.keep(w.asked(read, name, limit), answer{sum: sha256.Sum256(data)}, err)
	return data, given(fsys.Info{Kind: info.Kind}), err
}

func (w *watched) ReadUnwritten(name string, limit int64) ([]byte, fsys.Info, bool, error) {
	data, info, err := w.ReadFile(name, limit)
	return data, info, false, err
}

func (w *watched) ReadStart(name string, into []byte) (n int, whole bool, err error) {
	n, whole, err = w.under.ReadStart(name, into)
	w.r.keep(w.asked(readStart, name, int64(len(into))), answer{sum: sumOfStart(into[:n], whole)}, err)
	return n, whole, err
}

func (w *watched) Name() string { return w.under.Name() }

func (w *watched) HostPath(name string) string { return w.under.HostPath(name) }

func (w *watched) Close() error { return w.under.Close() }

// no is what all else is answered with. What needs it is not to be kept.
func (w *watched) no(op, name string) error {
	w.r.Spoil()
	return &fs.PathError{Op: op, Path: name, Err: errNoLook}
}

// What looks in a way that nothing here compares is let through, and not kept.

func (w *watched) Open(name string) (afero.File, error) {
	w.r.Spoil()
	return w.under.Open(name)
}

func (w *watched) OpenNoFollow(name string) (afero.File, error) {
	w.r.Spoil()
	return w.under.OpenNoFollow(name)
}

func (w *watched) Stat(name string) (os.FileInfo, error) {
	w.r.Spoil()
	return w.under.Stat(name)
}

func (w *watched) Sub(dir string) (fsys.FS, error) {
	w.r.Spoil()
	return w.under.Sub(dir)
}

func (w *watched) Hold(dir string) (fsys.FS, error) {
	w.r.Spoil()
	return w.under.Hold(dir)
}

func (w *watched) Volume(name string) (fsys.Volume, error) {
	w.r.Spoil()
	return w.under.Volume(name)
}

func (w *watched) Unwritten(name string) (fsys.Info, bool) {
	w.r.Spoil()
	return w.under.Unwritten(name)
}

// What changes something is turned down: nobody who only looks does it.

func (w *watched) Create(name string) (afero.File, error)    { return nil, w.no("create", name) }
func (w *watched) Mkdir(name string, _ os.FileMode) error    { return w.no("mkdir", name) }
func (w *watched) MkdirAll(name string, _ os.FileMode) error { return w.no("mkdir", name) }
func (w *watched) OpenFile(name string, _ int, _ os.FileMode) (afero.File, error) {
	return nil, w.no("open", name)
}
func (w *watched) Remove(name string) error                        { return w.no("remove", name) }
func (w *watched) RemoveAll(name string) error                     { return w.no("remove", name) }
func (w *watched) Rename(name, _ string) error                     { return w.no("rename", name) }
func (w *watched) Chmod(name string, _ os.FileMode) error          { return w.no("chmod", name) }
func (w *watched) Chown(name string, _, _ int) error               { return w.no("chown", name) }
func (w *watched) Chtimes(name string, _, _ time.Time) error       { return w.no("chtimes", name) }
func (w *watched) Symlink(_, name string) error                    { return w.no("symlink", name) }
func (w *watched) Link(name, _ string) error                       { return w.no("link", name) }
func (w *watched) RenameTo(name string, _ fsys.FS, _ string) error { return w.no("rename", name) }
func (w *watched) OpenLocks(name string) (fsys.LockSet, error)     { return nil, w.no("lock", name) }
func (w *watched) CloneFile(name, _ string, _ fs.FileMode) error   { return w.no("clone", name) }
func (w *watched) MappingTells(dir string) (bool, error)           { return false, w.no("map", dir) }
func (w *watched) SyncAll() error                                  { return w.no("sync", "/") }
