package state

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

const (
	producedName = "produced.log"
	keysName     = "keys.log"
	locksName    = "tasks.lock"

	dirPerm  = 0o700 // S-13
	filePerm = 0o600
)

// errReadOnly says that this State does not write.
var errReadOnly = errors.New("opened for reading only")

// home is .haz/state on disk. The directory is opened once and reached through a handle of its own, which saves the walk from
// the root each time. It is made when something is written.
//
// Anybody may delete .haz/state at any time. A write that finds it gone makes it anew, once.
type home struct {
	ws       fsys.FS
	readOnly bool

	mu    sync.Mutex
	dir   fsys.FS   // nil until opened
	stale []fsys.FS // forgotten, not closed yet
}

// open returns the directory; the error is fs.ErrNotExist when there is none.
func (h *home) open() (fsys.FS, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.openLocked()
}

func (h *home) openLocked() (fsys.FS, error) {
	if h.dir != nil {
		return h.dir, nil
	}
	// A handle goes wherever links lead, but what is written here must not leave the workspace.
	real, err := h.ws.RealPath(layout.StateDir)
	if err != nil {
		return nil, err
	}
	d, err := h.ws.Sub(real)
	if err != nil {
		return nil, err
	}
	h.dir = d
	return d, nil
}

// create is open, and makes the directory when there is none.
func (h *home) create() (fsys.FS, error) {
	if h.readOnly {
		return nil, errReadOnly
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	d, err := h.openLocked()
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return d, err
	}
	if err := MakeDir(h.ws, layout.StateDir); err != nil {
		return nil, err
	}
	return h.openLocked()
}

// MakeDir makes dir, which is .haz/state or lies in it, with all above it. It is the one way to do so: whoever makes .haz/state
// puts a .gitignore of "*" there at once, so that nothing in it is ever committed. Failing at that harms nothing else.
func MakeDir(ws fsys.FS, dir string) error {
	if err := ws.MkdirAll(layout.StateDir, dirPerm); err != nil {
		return err
	}
	f, err := ws.OpenFile(layout.StateDir+"/.gitignore", os.O_WRONLY|os.O_CREATE|os.O_EXCL, filePerm)
	if err == nil {
		_, _ = f.Write([]byte("*\n"))
		_ = f.Close()
	}
	if dir == layout.StateDir {
		return nil
	}
	return ws.MkdirAll(dir, dirPerm)
}

// forget makes the next one open the directory anew. The handle is closed at the end: others may be using it.
func (h *home) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dir != nil {
		h.stale = append(h.stale, h.dir)
		h.dir = nil
	}
}

// forgetDeleted is forget for a directory that is not there any more. It reports whether it did so.
func (h *home) forgetDeleted() bool {
	d, err := h.open()
	if err != nil {
		return false
	}
	info, err := d.Lstat("/")
	if err == nil && info.Nlink > 0 {
		return false
	}
	h.forget()
	return true
}

func (h *home) close() {
	h.forget()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, d := range h.stale {
		_ = d.Close()
	}
	h.stale = nil
}

// inDir does something that needs the directory, and once more where that was deleted, or its handle closed, meanwhile.
func (h *home) inDir(do func(d fsys.FS) error) error {
	for try := 0; ; try++ {
		d, err := h.create()
		if err == nil {
			err = do(d)
		}
		if err == nil || try > 0 || !isStale(err) {
			return err
		}
		h.forget()
	}
}

// isStale reports whether err may be due to a handle whose directory was deleted, or that was closed.
func isStale(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrClosed) || errors.Is(err, syscall.ESTALE)
}

// read returns the bytes of a file that has at most so many; the error is fs.ErrNotExist when there is none.
func (h *home) read(name string, most int64) ([]byte, fsys.Info, error) {
	for try := 0; ; try++ {
		d, err := h.open()
		if err != nil {
			return nil, fsys.Info{}, err
		}
		data, info, err := d.ReadFile("/"+name, most)
		if err == nil || try > 0 || errors.Is(err, fs.ErrNotExist) || !isStale(err) {
			return data, info, err
		}
		h.forget()
	}
}

// write replaces a file as a whole.
func (h *home) write(name string, data []byte) error {
	return h.inDir(func(d fsys.FS) error { return fsys.WriteFileAtomic(d, name, data, filePerm) })
}

// remove takes a file away, if it can.
func (h *home) remove(name string) {
	_ = h.inDir(func(d fsys.FS) error { return d.Remove("/" + name) })
}

// writeFirst makes a file as a whole; the error is fs.ErrExist when somebody else has made it. Where there are no links, the
// last one wins.
func (h *home) writeFirst(name string, data []byte) error {
	return h.inDir(func(d fsys.FS) error { return fsys.WriteFileFirst(d, name, data, filePerm) })
}
