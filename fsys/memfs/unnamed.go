package memfs

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/haz-build/haz/fsys"
)

// HoldStraight implements what fsys.HoldStraight looks for: the walk is one step, as the kernel's is.
func (m *FS) HoldStraight(dir string) (fsys.FS, error) {
	name := fsys.Clean(dir)
	m.tree.mu.RLock()
	defer m.tree.mu.RUnlock()
	err := m.alive()
	at := m.root
	for rest := name; err == nil && len(rest) > 1; {
		end := 1
		for end < len(rest) && rest[end] != '/' {
			end++
		}
		switch next := at.entries[rest[1:end]]; {
		case next == nil:
			err = errNoEntry
		case next.isLink():
			err = errLoop
		case !next.isDir():
			err = errNotDir
		default:
			at, rest = next, rest[end:]
		}
	}
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return &FS{tree: m.tree, root: at, base: m.HostPath(name)}, nil
}

// SetUnnamed says whether there are files without names, as there are on Linux and most of its file systems. At first there are.
func (m *FS) SetUnnamed(are bool) {
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	m.tree.allNamed = !are
}

// OpenUnnamed implements what fsys.OpenUnnamed looks for.
func (m *FS) OpenUnnamed(dir string, perm fs.FileMode) (fsys.Unnamed, error) {
	f := &unnamed{file{tree: m.tree, name: fsys.Clean(dir), readable: true, writable: true}}
	err := m.change("open", dir, func(name string) error {
		p, err := m.reachOld(name, followsLink)
		switch {
		case err != nil:
			return err
		case m.tree.allNamed:
			return errors.ErrUnsupported
		case !p.node.isDir():
			return errNotDir
		case p.node.nlink == 0:
			return errNoEntry
		case perm&^fs.ModePerm != 0:
			return errInvalid
		}
		f.node = m.tree.newNode(perm)
		f.node.writers++
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// unnamed is a file whose node has no name until it is given one.
type unnamed struct{ file }

// alter changes the node.
func (f *unnamed) alter(op string, do func(n *node)) error {
	if err := f.use(op, true); err != nil {
		return err
	}
	defer f.mu.Unlock()
	f.tree.mu.Lock()
	defer f.tree.mu.Unlock()
	f.tree.touch(f.node)
	do(f.node)
	f.node.ctime = f.tree.clock.mark(f.node, f.tree.clock.tick())
	return nil
}

func (f *unnamed) Chmod(mode fs.FileMode) error {
	return f.alter("chmod", func(n *node) { n.mode = n.mode.Type() | fsys.PermMode(fsys.ModePerm(mode)) })
}

func (f *unnamed) Chtimes(mtime time.Time) error {
	return f.alter("chtimes", func(n *node) { n.mtime = mtime.UnixNano() })
}

func (f *unnamed) Name(to fsys.FS, name string) error {
	name = fsys.Clean(name)
	err := f.use("link", true)
	if err == nil {
		err = f.nameIn(to, name)
		f.mu.Unlock()
	}
	if err != nil {
		return &os.LinkError{Op: "link", Old: f.file.name, New: name, Err: fsys.Cause(err)}
	}
	return nil
}

func (f *unnamed) nameIn(to fsys.FS, name string) error {
	t, ok := to.(*FS)
	if !ok || t.tree != f.tree {
		return syscall.EXDEV
	}
	f.tree.mu.Lock()
	defer f.tree.mu.Unlock()
	if name == "/" {
		return errBusy
	}
	p, err := t.reachNew(name)
	if err != nil {
		return err
	}
	f.tree.attach(p.dir, p.base, f.node)
	return nil
}
