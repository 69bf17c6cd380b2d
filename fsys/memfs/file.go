package memfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/haz-build/haz/fsys"
)

// file is an open file or directory. It keeps its node, also when that has no name any more.
type file struct {
	tree     *tree
	node     *node
	name     string
	readable bool
	writable bool
	appends  bool

	mu     sync.Mutex // guards what follows; taken before the mutex of the tree
	closed bool
	pos    int64
	listed []fsys.Entry // of a directory: what is still to be told
	lists  bool
}

func (f *file) Name() string { return f.name }

// use starts an operation on f, end ends it. Files of one tree lock f first, then the tree.
func (f *file) use(op string, allowed bool) error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return pathError(op, f.name, fs.ErrClosed)
	}
	if !allowed {
		f.mu.Unlock()
		return pathError(op, f.name, errBadFile)
	}
	return nil
}

func (f *file) Read(p []byte) (int, error) {
	if err := f.use("read", f.readable); err != nil {
		return 0, err
	}
	defer f.mu.Unlock()
	n, err := f.readAt(p, f.pos)
	f.pos += int64(n)
	return n, err
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if err := f.use("read", f.readable); err != nil {
		return 0, err
	}
	defer f.mu.Unlock()
	if off < 0 {
		return 0, pathError("readat", f.name, errors.New("negative offset"))
	}
	n, err := f.readAt(p, off)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

func (f *file) readAt(p []byte, off int64) (int, error) {
	f.tree.mu.RLock()
	defer f.tree.mu.RUnlock()
	switch {
	case f.node.isDir():
		return 0, pathError("read", f.name, errIsDir)
	case len(p) == 0:
		return 0, nil
	case off >= int64(len(f.node.data)):
		return 0, io.EOF
	}
	return copy(p, f.node.data[off:]), nil
}

func (f *file) Write(p []byte) (int, error) {
	if err := f.use("write", f.writable); err != nil {
		return 0, err
	}
	defer f.mu.Unlock()
	f.tree.mu.Lock()
	defer f.tree.mu.Unlock()
	if f.appends {
		f.pos = int64(len(f.node.data))
	}
	n, err := f.writeAt(p, f.pos)
	f.pos += int64(n)
	return n, err
}

func (f *file) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	if err := f.use("write", f.writable); err != nil {
		return 0, err
	}
	defer f.mu.Unlock()
	switch {
	case f.appends:
		return 0, pathError("writeat", f.name, errors.New("file was opened for appending"))
	case off < 0:
		return 0, pathError("writeat", f.name, errors.New("negative offset"))
	}
	f.tree.mu.Lock()
	defer f.tree.mu.Unlock()
	return f.writeAt(p, off)
}

func (f *file) writeAt(p []byte, off int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if off > maxFile-int64(len(p)) {
		return 0, pathError("write", f.name, errTooBig)
	}
	f.tree.own(f.node)
	if end := int(off) + len(p); end > len(f.node.data) {
		f.tree.resize(f.node, end)
	}
	f.node.stamp(&f.tree.clock, f.tree.clock.tick())
	return copy(f.node.data[off:], p), nil
}

func (f *file) Truncate(size int64) error {
	if err := f.use("truncate", true); err != nil {
		return err
	}
	defer f.mu.Unlock()
	switch {
	case size < 0 || !f.writable || !f.node.isFile():
		return pathError("truncate", f.name, errInvalid)
	case size > maxFile:
		return pathError("truncate", f.name, errTooBig)
	}
	f.tree.mu.Lock()
	defer f.tree.mu.Unlock()
	f.tree.resize(f.node, int(size))
	f.node.stamp(&f.tree.clock, f.tree.clock.tick())
	return nil
}

func (f *file) Seek(offset int64, whence int) (int64, error) {
	if err := f.use("seek", true); err != nil {
		return 0, err
	}
	defer f.mu.Unlock()
	f.tree.mu.RLock()
	defer f.tree.mu.RUnlock()
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += f.pos
	case io.SeekEnd:
		offset += int64(len(f.node.data))
	default:
		return 0, pathError("seek", f.name, errInvalid)
	}
	if offset < 0 {
		return 0, pathError("seek", f.name, errInvalid)
	}
	f.pos = offset
	f.lists, f.listed = false, nil
	return offset, nil
}

// Sync makes the bytes of a file, or the entries of a directory, survive a power cut; see RecordUnsynced.
func (f *file) Sync() error {
	if err := f.use("sync", true); err != nil {
		return err
	}
	defer f.mu.Unlock()
	f.tree.mu.Lock()
	defer f.tree.mu.Unlock()
	f.tree.syncNode(f.node)
	return nil
}

func (f *file) Close() error {
	if err := f.use("close", true); err != nil {
		return err
	}
	defer f.mu.Unlock()
	f.closed = true
	if f.writable {
		f.tree.mu.Lock()
		defer f.tree.mu.Unlock()
		f.node.writers--
	}
	return nil
}

func (f *file) Info() (fsys.Info, error) {
	if err := f.use("stat", true); err != nil {
		return fsys.Info{}, err
	}
	defer f.mu.Unlock()
	f.tree.mu.RLock()
	defer f.tree.mu.RUnlock()
	return f.node.info(), nil
}

func (f *file) Stat() (os.FileInfo, error) {
	info, err := f.Info()
	if err != nil {
		return nil, err
	}
	f.tree.mu.RLock()
	defer f.tree.mu.RUnlock()
	return fsys.NewFileInfo(f.name, info, f.node.mode), nil
}

// next returns the entries of a directory from where the last call ended: the rest if n is at most 0, without error;
// else at most n, and io.EOF behind the last.
func (f *file) next(n int) ([]fsys.Entry, error) {
	if err := f.use("readdir", f.readable); err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	f.tree.mu.RLock()
	defer f.tree.mu.RUnlock()
	if !f.node.isDir() {
		return nil, pathError("readdir", f.name, errNotDir)
	}
	if !f.lists {
		f.lists, f.listed = true, f.node.list()
	}
	if n <= 0 {
		n = len(f.listed)
	} else if len(f.listed) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(f.listed))
	part := f.listed[:n]
	f.listed = f.listed[n:]
	return part, nil
}

func (f *file) Readdirnames(n int) ([]string, error) {
	entries, err := f.next(n)
	if err != nil {
		return nil, err
	}
	return fsys.Names(entries), nil
}

// Readdir leaves out names that were removed since the listing began.
func (f *file) Readdir(count int) ([]os.FileInfo, error) {
	entries, err := f.next(count)
	if err != nil {
		return nil, err
	}
	f.tree.mu.RLock()
	defer f.tree.mu.RUnlock()
	infos := make([]os.FileInfo, 0, len(entries))
	for _, e := range entries {
		if n := f.node.entries[e.Name]; n != nil {
			infos = append(infos, fsys.NewFileInfo("/"+e.Name, n.info(), n.mode))
		}
	}
	return infos, nil
}
