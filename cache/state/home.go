package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/haz-build/haz/fsys"
)

const (
	stateDir    = "/.haz/state"
	ledgersName = "ledgers.log"
	keysName    = "keys.log"
	locksName   = "tasks.lock"

	dirPerm  = 0o700 // S-13
	filePerm = 0o600

	tmpInfix = ".tmp-"
)

// errReadOnly says that this State does not write.
var errReadOnly = errors.New("opened for reading only")

// home is .haz/state on disk. Its directories are opened once and reached through handles of their own, which saves the
// walk from the root for each of thousands of small files. They are made when something is written.
//
// Anybody may delete .haz/state at any time. A write that finds its directory gone makes it anew, once.
type home struct {
	ws       fsys.FS
	readOnly bool

	mu    sync.Mutex
	dirs  map[string]fsys.FS // by name below .haz/state; "" is itself
	stale []fsys.FS          // forgotten, not closed yet
}

// open returns the directory dir; the error is fs.ErrNotExist when there is none.
func (h *home) open(dir string) (fsys.FS, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.openLocked(dir)
}

func (h *home) openLocked(dir string) (fsys.FS, error) {
	if d := h.dirs[dir]; d != nil {
		return d, nil
	}
	name := below(dir)
	// A handle goes wherever links lead, but what is written here must not leave the workspace.
	real, err := h.ws.RealPath(name)
	if err != nil {
		return nil, err
	}
	d, err := h.ws.Sub(real)
	if err != nil {
		return nil, err
	}
	if h.dirs == nil {
		h.dirs = map[string]fsys.FS{}
	}
	h.dirs[dir] = d
	return d, nil
}

// create is open, and makes the directory when there is none.
func (h *home) create(dir string) (fsys.FS, error) {
	if h.readOnly {
		return nil, errReadOnly
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	d, err := h.openLocked(dir)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return d, err
	}
	if err := h.ws.MkdirAll(below(dir), dirPerm); err != nil {
		return nil, err
	}
	h.hideFromGit()
	return h.openLocked(dir)
}

// hideFromGit puts a .gitignore of "*" beside what is written. Failing to do so harms nothing.
func (h *home) hideFromGit() {
	f, err := h.ws.OpenFile(stateDir+"/.gitignore", os.O_WRONLY|os.O_CREATE|os.O_EXCL, filePerm)
	if err == nil {
		_, _ = f.Write([]byte("*\n"))
		_ = f.Close()
	}
}

// forget makes the next one open dir anew. The handle is closed at the end: others may be using it.
func (h *home) forget(dir string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d := h.dirs[dir]; d != nil {
		h.stale = append(h.stale, d)
		delete(h.dirs, dir)
	}
}

// forgetDeleted is forget for a directory that is not there any more. It reports whether it did so.
func (h *home) forgetDeleted(dir string) bool {
	d, err := h.open(dir)
	if err != nil {
		return false
	}
	info, err := d.Lstat("/")
	if err == nil && info.Nlink > 0 {
		return false
	}
	h.forget(dir)
	return true
}

func (h *home) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for dir, d := range h.dirs {
		_ = d.Close()
		delete(h.dirs, dir)
	}
	for _, d := range h.stale {
		_ = d.Close()
	}
	h.stale = nil
}

// inDir does something that needs the directory dir, and once more where that was deleted, or its handle closed, meanwhile.
func (h *home) inDir(dir string, do func(d fsys.FS) error) error {
	for try := 0; ; try++ {
		d, err := h.create(dir)
		if err == nil {
			err = do(d)
		}
		if err == nil || try > 0 || !isStale(err) {
			return err
		}
		h.forget(dir)
	}
}

// isStale reports whether err may be due to a handle whose directory was deleted, or that was closed.
func isStale(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrClosed) || errors.Is(err, syscall.ESTALE)
}

// read returns the bytes of a file; the error is fs.ErrNotExist when there is none.
func (h *home) read(dir, name string) ([]byte, fsys.Info, error) {
	for try := 0; ; try++ {
		d, err := h.open(dir)
		if err != nil {
			return nil, fsys.Info{}, err
		}
		data, info, err := d.ReadFile("/"+name, maxRecord)
		if err == nil || try > 0 || errors.Is(err, fs.ErrNotExist) || !isStale(err) {
			return data, info, err
		}
		h.forget(dir)
	}
}

// write replaces a file as a whole.
func (h *home) write(dir, name string, data []byte) error {
	return h.inDir(dir, func(d fsys.FS) error { return replace(d, name, bytesOf(data)) })
}

// writeFirst makes a file as a whole; the error is fs.ErrExist when somebody else has made it. Where there are no links, the
// last one wins.
func (h *home) writeFirst(dir, name string, data []byte) error {
	return h.inDir(dir, func(d fsys.FS) error {
		return place(d, name, bytesOf(data), func(tmp string) error {
			switch err := d.Link(tmp, "/"+name); {
			case err == nil:
				return d.Remove(tmp)
			case errors.Is(err, fs.ErrExist):
				return err
			}
			return d.Rename(tmp, "/"+name)
		})
	})
}

func bytesOf(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// replace puts what fill writes in the place of a file: a reader sees the old one or the new one.
func replace(d fsys.FS, name string, fill func(io.Writer) error) error {
	return place(d, name, fill, func(tmp string) error { return d.Rename(tmp, "/"+name) })
}

// place writes a temporary file beside name and has it put there. After an error nothing of it is left.
func place(d fsys.FS, name string, fill func(io.Writer) error, put func(tmp string) error) error {
	tmp := fmt.Sprintf("/%s%s%016x", name, tmpInfix, rand.Uint64())
	f, err := d.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, filePerm)
	if err != nil {
		return err
	}
	err = fill(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = put(tmp)
	}
	if err != nil {
		_ = d.Remove(tmp)
	}
	return err
}

func below(dir string) string {
	if dir == "" {
		return stateDir
	}
	return stateDir + "/" + dir
}

func isTemporary(name string) bool { return strings.Contains(name, tmpInfix) }
