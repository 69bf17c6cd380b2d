package load

import (
	"sync"

	"github.com/haz-build/haz/fsys"
)

// counter counts what is read, and refuses to write: its methods that would are those of a nil file system.
type counter struct {
	fsys.FS
	mu    sync.Mutex
	reads map[string]int
}

func (c *counter) Sub(dir string) (fsys.FS, error) {
	sub, err := c.FS.Sub(dir)
	if err != nil {
		return nil, err
	}
	return &readOnly{counter: c, inner: sub}, nil
}

// readOnly has the reading methods of inner and no others: writing is a nil pointer.
type readOnly struct {
	fsys.FS
	counter *counter
	inner   fsys.FS
}

func (r *readOnly) ReadFile(name string, limit int64) ([]byte, fsys.Info, error) {
	r.counter.mu.Lock()
	r.counter.reads[name]++
	r.counter.mu.Unlock()
	return r.inner.ReadFile(name, limit)
}
func (r *readOnly) List(dir string) ([]fsys.Entry, error)   { return r.inner.List(dir) }
func (r *readOnly) Lstat(name string) (fsys.Info, error)    { return r.inner.Lstat(name) }
func (r *readOnly) StatInfo(name string) (fsys.Info, error) { return r.inner.StatInfo(name) }
func (r *readOnly) Readlink(name string) (string, error)    { return r.inner.Readlink(name) }
func (r *readOnly) RealPath(name string) (string, error)    { return r.inner.RealPath(name) }
func (r *readOnly) HostPath(name string) string             { return r.inner.HostPath(name) }
func (r *readOnly) Close() error                            { return r.inner.Close() }
