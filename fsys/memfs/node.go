package memfs

import (
	"bytes"
	"io/fs"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/haz-build/haz/fsys"
)

const (
	errNoEntry  = syscall.ENOENT
	errExists   = syscall.EEXIST
	errNotDir   = syscall.ENOTDIR
	errIsDir    = syscall.EISDIR
	errNotEmpty = syscall.ENOTEMPTY
	errInvalid  = syscall.EINVAL
	errTooLong  = syscall.ENAMETOOLONG
	errLoop     = syscall.ELOOP
	errBusy     = syscall.EBUSY
	errBadFile  = syscall.EBADF
	errNoPerm   = syscall.EPERM
	errTooBig   = syscall.EFBIG
	errNoReader = syscall.ENXIO // opening a FIFO for writing
)

const (
	maxFile = 1 << 30 // bytes in a file
	dirSize = 4096    // bytes, as said of each directory
)

// whichLink says what an operation does with a link at the end of its name.
type whichLink bool

const (
	keepsLink   whichLink = false // works on the link itself
	followsLink whichLink = true
)

func pathError(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// node is an inode. All its fields are guarded by the mutex of the tree.
type node struct {
	inode        uint64
	mode         fs.FileMode // type and permission bits
	nlink        uint32
	mtime, ctime int64
	seen         atomic.Bool // somebody has looked at the times

	data   []byte // of a file
	shared bool   // data belongs to somebody else too: copy before writing
	text   string // of a link

	entries map[string]*node // of a directory
	parent  *node            // of a directory; that of the root is the root
	name    string           // of a directory, in its parent

	writers int // how often it is open for writing
	mapped  int // how often it is mapped

	locks fsys.LockTable
}

func (n *node) kind() fsys.Kind {
	switch {
	case n.isDir():
		return fsys.Dir
	case n.isFile():
		return fsys.File
	case n.isLink():
		return fsys.Link
	}
	return fsys.Special
}

func (n *node) isDir() bool  { return n.mode.IsDir() }
func (n *node) isFile() bool { return n.mode.IsRegular() }
func (n *node) isLink() bool { return n.mode.Type() == fs.ModeSymlink }

func (n *node) info() fsys.Info {
	n.seen.Store(true)
	i := fsys.Info{
		Kind: n.kind(), Perm: fsys.ModePerm(n.mode), Nlink: n.nlink, Size: int64(len(n.data)),
		MTime: n.mtime, CTime: n.ctime, Inode: n.inode, Dev: device,
	}
	switch i.Kind {
	case fsys.Dir:
		i.Size = dirSize
	case fsys.Link:
		i.Size = int64(len(n.text))
	}
	return i
}

// under reports whether the directory n is top or lies in its subtree.
func (n *node) under(top *node) bool {
	for ; n != top; n = n.parent {
		if n == n.parent {
			return false
		}
	}
	return true
}

// place is where a name leads: the directory that holds its last segment, that segment, and the node there or nil. For
// a root, and for a link to "/" or "..", dir is the directory itself and base is "".
type place struct {
	dir  *node
	base string
	node *node
}

// walk follows the clean name from the root of m. The place's dir is set also with an error: it is where the walk stopped.
// A missing last segment is no error.
func (m *FS) walk(name string, last whichLink) (place, error) {
	cur, rest := m.root, name
	if len(name) > fsys.MaxPath {
		return place{dir: cur}, errTooLong
	}
	if strings.IndexByte(name, 0) >= 0 {
		return place{dir: cur}, errInvalid
	}
	for links := 0; ; {
		rest = strings.TrimLeft(rest, "/")
		if rest == "" {
			return place{dir: cur, node: cur}, nil
		}
		seg, tail, slash := strings.Cut(rest, "/")
		isLast := strings.Trim(tail, "/") == ""
		rest = tail
		switch {
		case seg == ".":
			continue
		case seg == "..":
			cur = cur.parent
			continue
		case len(seg) > fsys.MaxSegment:
			return place{dir: cur}, errTooLong
		}
		child := cur.entries[seg]
		switch {
		case child == nil && isLast && !slash:
			return place{dir: cur, base: seg}, nil
		case child == nil:
			return place{dir: cur}, errNoEntry
		case child.isLink() && (!isLast || slash || last == followsLink):
			if links++; links > fsys.MaxLinks {
				return place{dir: cur}, errLoop
			}
			rest = child.text
			if slash {
				rest += "/" + tail
			}
			if child.text[0] == '/' {
				cur = m.tree.root
			}
		case !child.isDir() && (!isLast || slash):
			return place{dir: cur}, errNotDir
		case isLast:
			return place{dir: cur, base: seg, node: child}, nil
		default:
			cur = child
		}
	}
}

// find is walk for what reads: the name must exist.
func (m *FS) find(name string, last whichLink) (place, error) {
	if err := m.alive(); err != nil {
		return place{}, err
	}
	p, err := m.walk(name, last)
	if err == nil && p.node == nil {
		err = errNoEntry
	}
	return p, err
}

// look is find for who holds no lock.
func (m *FS) look(name string, last whichLink) (place, error) {
	m.tree.mu.RLock()
	defer m.tree.mu.RUnlock()
	return m.find(name, last)
}

// reach is walk for what writes: it must end below the root of m.
func (m *FS) reach(name string, last whichLink) (place, error) {
	if err := m.alive(); err != nil {
		return place{}, err
	}
	p, err := m.walk(name, last)
	if m.root == m.tree.root {
		return p, err
	}
	at := p.dir
	if last == followsLink && p.node != nil && p.node.isDir() {
		at = p.node // reached through a link, which may be to the root itself
	}
	if !at.under(m.root) {
		return p, fsys.ErrOutside
	}
	return p, err
}

// reachNew is reach for a name that must not exist.
func (m *FS) reachNew(name string) (place, error) {
	p, err := m.reach(name, keepsLink)
	switch {
	case err != nil:
		return p, err
	case p.node != nil:
		return p, errExists
	case p.dir.nlink == 0: // removed while it was the root of a Sub
		return p, errNoEntry
	}
	return p, nil
}

// reachOld is reach for a name that must exist.
func (m *FS) reachOld(name string, last whichLink) (place, error) {
	p, err := m.reach(name, last)
	if err == nil && p.node == nil {
		err = errNoEntry
	}
	return p, err
}

// attach gives n the name base in dir, which is free.
func (t *tree) attach(dir *node, base string, n *node) {
	t.record(change{node: n, toDir: dir, to: base})
	t.put(dir, base, n, t.clock.tick())
}

func (t *tree) put(dir *node, base string, n *node, now int64) {
	dir.entries[base] = n
	dir.stamp(&t.clock, now)
	if n.isDir() {
		n.parent, n.name = dir, base
		n.nlink = max(n.nlink, 1) + 1
		dir.nlink++
	} else {
		n.nlink++
	}
	n.ctime = t.clock.mark(n, now)
}

// detach takes the name base out of dir.
func (t *tree) detach(dir *node, base string) {
	n := dir.entries[base]
	t.record(change{node: n, fromDir: dir, from: base})
	now := t.clock.tick()
	t.take(dir, base, n, now)
	if n.isDir() {
		n.nlink = 0
	}
}

func (t *tree) take(dir *node, base string, n *node, now int64) {
	delete(dir.entries, base)
	dir.stamp(&t.clock, now)
	n.nlink--
	n.ctime = t.clock.mark(n, now)
	if n.isDir() {
		dir.nlink--
	}
}

// move renames in one step; what has the new name goes.
func (t *tree) move(n *node, from *node, old string, to *node, new string) {
	t.record(change{node: n, fromDir: from, from: old, toDir: to, to: new})
	now := t.clock.tick()
	if gone := to.entries[new]; gone != nil {
		t.take(to, new, gone, now)
		if gone.isDir() {
			gone.nlink = 0
		}
	}
	t.take(from, old, n, now)
	t.put(to, new, n, now)
}

// own makes the bytes of n safe to write to.
func (t *tree) own(n *node) {
	t.touch(n)
	if n.shared {
		n.data = bytes.Clone(n.data)
		n.shared = false
	}
}

// resize sets the length of the file n, filling with zeros. It is what every change of a length goes through.
func (t *tree) resize(n *node, size int) {
	t.own(n)
	t.recordSize(n, size)
	switch old := len(n.data); {
	case size <= old:
		n.data = n.data[:size]
	case size <= cap(n.data):
		n.data = n.data[:size]
		clear(n.data[old:])
	default:
		n.data = append(n.data, make([]byte, size-old)...)
	}
}
