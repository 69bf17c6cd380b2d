package fsys

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/spf13/afero"
)

// Elsewhere is tree with some of its directories lying elsewhere, as if each were mounted there: places maps names in tree to names
// in host. Neither needs to exist; MkdirAll of such a name makes the place. What lies in tree itself at such a name, or what links
// in tree make of it, is not looked at: a name is taken by its text.
//
// A place is opened anew by each operation on it, so that it may be removed and made again at any time. It can be neither removed
// nor renamed (EBUSY), and nothing can be linked or cloned between it and others (EXDEV); renames go where the kernel lets them go.
// Sub and Hold give file systems without places. Close closes tree and leaves host alone.
func Elsewhere(tree, host FS, places map[string]string) FS {
	if len(places) == 0 {
		return tree
	}
	e := &elsewhere{FS: tree, host: host}
	for at, dir := range places {
		e.mounts = append(e.mounts, mount{Clean(at), Clean(dir)})
	}
	return e
}

type elsewhere struct {
	FS     // the tree
	host   FS
	mounts []mount // none below another
}

// A mount is a directory of the tree, and where it lies on the host.
type mount struct{ at, dir string }

func (e *elsewhere) Name() string { return "elsewhere " + e.FS.Name() }

// mount finds the mount that name lies in, and its name there; nil for the tree itself.
func (e *elsewhere) mount(name string) (m *mount, rest string) {
	name = Clean(name)
	for i := range e.mounts {
		if in, ok := below(e.mounts[i].at, name); ok {
			return &e.mounts[i], in
		}
	}
	return nil, name
}

// in carries out do where name lies: in the tree, or with a handle on the place.
func (e *elsewhere) in(op, name string, do func(f FS, name string) error) error {
	m, rest := e.mount(name)
	if m == nil {
		return do(e.FS, name)
	}
	f, err := e.host.Sub(m.dir)
	if err != nil {
		return pathError(op, Clean(name), Cause(err))
	}
	defer f.Close()
	return m.named(do(f, rest))
}

// at is in for operations on the name itself where that is a place: it is looked at, or made, from outside.
func (e *elsewhere) at(op, name string, do func(f FS, name string) error) error {
	if m, rest := e.mount(name); m != nil && rest == "/" {
		return m.renamed(do(e.host, m.dir), Clean(name))
	}
	return e.in(op, name, do)
}

// named gives an error the names of the tree.
func (m *mount) named(err error) error {
	return renamed(err, func(name string) string { return join(m.at, Clean(name)) })
}

// renamed is named for an error about the place itself.
func (m *mount) renamed(err error, name string) error {
	if p, ok := err.(*fs.PathError); ok {
		return &fs.PathError{Op: p.Op, Path: name, Err: p.Err}
	}
	return err
}

func (e *elsewhere) Lstat(name string) (info Info, err error) {
	err = e.at("lstat", name, func(f FS, name string) error { info, err = f.Lstat(name); return err })
	return info, err
}

func (e *elsewhere) StatInfo(name string) (info Info, err error) {
	err = e.at("stat", name, func(f FS, name string) error { info, err = f.StatInfo(name); return err })
	return info, err
}

func (e *elsewhere) Stat(name string) (info os.FileInfo, err error) {
	err = e.at("stat", name, func(f FS, name string) error { info, err = f.Stat(name); return err })
	return info, err
}

func (e *elsewhere) Readlink(name string) (text string, err error) {
	err = e.at("readlink", name, func(f FS, name string) error { text, err = f.Readlink(name); return err })
	return text, err
}

func (e *elsewhere) List(dir string) (list []Entry, err error) {
	err = e.in("list", dir, func(f FS, dir string) error { list, err = f.List(dir); return err })
	return list, err
}

func (e *elsewhere) ReadFile(name string, limit int64) (data []byte, info Info, err error) {
	err = e.in("open", name, func(f FS, name string) error { data, info, err = f.ReadFile(name, limit); return err })
	return data, info, err
}

func (e *elsewhere) ReadStart(name string, into []byte) (n int, whole bool, err error) {
	err = e.in("open", name, func(f FS, name string) error { n, whole, err = f.ReadStart(name, into); return err })
	return n, whole, err
}

func (e *elsewhere) ReadExact(name string, into []byte) (info Info, err error) {
	err = e.in("open", name, func(f FS, name string) error { info, err = ReadExact(f, name, into); return err })
	return info, err
}

func (e *elsewhere) readStarts(dir string, into []byte, choose func([]Entry) []Entry, each func(Entry, int, bool, error)) error {
	return e.in("list", dir, func(f FS, dir string) error { return ReadStarts(f, dir, into, choose, each) })
}

func (e *elsewhere) ReadUnwritten(name string, limit int64) (data []byte, info Info, unwritten bool, err error) {
	err = e.at("open", name, func(f FS, name string) (err error) {
		data, info, unwritten, err = f.ReadUnwritten(name, limit)
		return err
	})
	return data, info, unwritten, err
}

func (e *elsewhere) Volume(name string) (v Volume, err error) {
	err = e.at("statfs", name, func(f FS, name string) (err error) { v, err = f.Volume(name); return err })
	return v, err
}

func (e *elsewhere) Unwritten(name string) (info Info, unwritten bool) {
	err := e.at("open", name, func(f FS, name string) error { info, unwritten = f.Unwritten(name); return nil })
	return info, unwritten && err == nil
}

func (e *elsewhere) MappingTells(dir string) (tells bool, err error) {
	err = e.at("open", dir, func(f FS, dir string) (err error) { tells, err = f.MappingTells(dir); return err })
	return tells, err
}

// RealPath resolves links within a place; the place itself is taken as it is named.
func (e *elsewhere) RealPath(name string) (real string, err error) {
	m, _ := e.mount(name)
	err = e.in("realpath", name, func(f FS, name string) error { real, err = f.RealPath(name); return err })
	if err == nil && m != nil {
		real = join(m.at, real)
	}
	return real, err
}

func (e *elsewhere) HostPath(name string) string {
	if m, rest := e.mount(name); m != nil {
		return e.host.HostPath(join(m.dir, rest))
	}
	return e.FS.HostPath(name)
}

func (e *elsewhere) file(name string, open func(f FS, name string) (afero.File, error)) (file afero.File, err error) {
	err = e.in("open", name, func(f FS, name string) error { file, err = open(f, name); return err })
	return file, err
}

func (e *elsewhere) Open(name string) (afero.File, error) {
	return e.file(name, func(f FS, name string) (afero.File, error) { return f.Open(name) })
}

func (e *elsewhere) OpenNoFollow(name string) (afero.File, error) {
	return e.file(name, func(f FS, name string) (afero.File, error) { return f.OpenNoFollow(name) })
}

func (e *elsewhere) Create(name string) (afero.File, error) {
	return e.file(name, func(f FS, name string) (afero.File, error) { return f.Create(name) })
}

func (e *elsewhere) OpenFile(name string, flag int, perm fs.FileMode) (afero.File, error) {
	return e.file(name, func(f FS, name string) (afero.File, error) { return f.OpenFile(name, flag, perm) })
}

func (e *elsewhere) sub(dir string, open func(f FS, dir string) (FS, error)) (sub FS, err error) {
	err = e.at("open", dir, func(f FS, dir string) error { sub, err = open(f, dir); return err })
	return sub, err
}

func (e *elsewhere) Sub(dir string) (FS, error) {
	return e.sub(dir, func(f FS, dir string) (FS, error) { return f.Sub(dir) })
}

func (e *elsewhere) Hold(dir string) (FS, error) {
	return e.sub(dir, func(f FS, dir string) (FS, error) { return f.Hold(dir) })
}

func (e *elsewhere) HoldStraight(dir string) (FS, error) { return e.sub(dir, HoldStraight) }

func (e *elsewhere) OpenUnnamed(dir string, perm fs.FileMode) (file Unnamed, err error) {
	err = e.in("open", dir, func(f FS, dir string) error { file, err = OpenUnnamed(f, dir, perm); return err })
	if err != nil {
		return nil, err
	}
	return placedUnnamed{file}, nil
}

// placedUnnamed takes names in a tree with places, too.
type placedUnnamed struct{ Unnamed }

func (n placedUnnamed) Name(to FS, name string) error {
	t, ok := to.(*elsewhere)
	if !ok {
		return n.Unnamed.Name(to, name)
	}
	return t.in("link", name, func(f FS, name string) error { return n.Unnamed.Name(f, name) })
}

func (e *elsewhere) Mkdir(name string, perm fs.FileMode) error {
	return e.at("mkdir", name, func(f FS, name string) error { return f.Mkdir(name, perm) })
}

func (e *elsewhere) MkdirAll(name string, perm fs.FileMode) error {
	if m, rest := e.mount(name); m != nil {
		if err := m.renamed(e.host.MkdirAll(m.dir, perm), m.at); err != nil || rest == "/" {
			return err
		}
	}
	return e.in("mkdir", name, func(f FS, name string) error { return f.MkdirAll(name, perm) })
}

func (e *elsewhere) Remove(name string) error {
	return e.in("remove", name, func(f FS, name string) error { return f.Remove(name) })
}

func (e *elsewhere) RemoveAll(name string) error {
	err := e.in("removeall", name, func(f FS, name string) error { return f.RemoveAll(name) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil // there is no place
	}
	return err
}

func (e *elsewhere) Chmod(name string, mode fs.FileMode) error {
	return e.at("chmod", name, func(f FS, name string) error { return f.Chmod(name, mode) })
}

func (e *elsewhere) Chown(name string, uid, gid int) error {
	return e.at("chown", name, func(f FS, name string) error { return f.Chown(name, uid, gid) })
}

func (e *elsewhere) Chtimes(name string, atime, mtime time.Time) error {
	return e.at("chtimes", name, func(f FS, name string) error { return f.Chtimes(name, atime, mtime) })
}

func (e *elsewhere) Symlink(text, name string) error {
	if m, rest := e.mount(name); m != nil && rest == "/" {
		return &os.LinkError{Op: "symlink", Old: text, New: Clean(name), Err: syscall.EEXIST}
	}
	return e.in("symlink", name, func(f FS, name string) error { return f.Symlink(text, name) })
}

// OpenLocks keeps its handle on the place: a set may open more files by it.
func (e *elsewhere) OpenLocks(name string) (LockSet, error) {
	m, rest := e.mount(name)
	if m == nil {
		return e.FS.OpenLocks(name)
	}
	f, err := e.host.Sub(m.dir)
	if err != nil {
		return nil, pathError("lock", Clean(name), Cause(err))
	}
	set, err := f.OpenLocks(rest)
	if err != nil {
		_ = f.Close()
		return nil, m.named(err)
	}
	return &placedLocks{set, f}, nil
}

type placedLocks struct {
	LockSet
	place FS
}

func (l *placedLocks) Close() error { return errors.Join(l.LockSet.Close(), l.place.Close()) }

// two carries out do on two names of one place, or of the tree.
func (e *elsewhere) two(op, oldName, newName string, do func(f FS, oldName, newName string) error) error {
	from, oldRest := e.mount(oldName)
	to, newRest := e.mount(newName)
	err := error(syscall.EXDEV)
	switch {
	case from != nil && oldRest == "/" || to != nil && newRest == "/":
		err = syscall.EBUSY
	case from == to:
		return e.in(op, oldName, func(f FS, _ string) error {
			if from == nil {
				return do(f, oldName, newName)
			}
			return do(f, oldRest, newRest)
		})
	}
	return &os.LinkError{Op: op, Old: Clean(oldName), New: Clean(newName), Err: err}
}

func (e *elsewhere) Link(oldName, newName string) error {
	return e.two("link", oldName, newName, func(f FS, oldName, newName string) error { return f.Link(oldName, newName) })
}

func (e *elsewhere) CloneFile(src, dst string, perm fs.FileMode) error {
	return e.two("clone", src, dst, func(f FS, src, dst string) error { return f.CloneFile(src, dst, perm) })
}

func (e *elsewhere) Rename(oldName, newName string) error {
	err := e.two("rename", oldName, newName, func(f FS, oldName, newName string) error { return f.Rename(oldName, newName) })
	if !errors.Is(err, syscall.EXDEV) {
		return err
	}
	return e.RenameTo(oldName, e, newName)
}

// RenameTo renames from or into a place as far as the kernel can: places may lie on the device of the tree.
func (e *elsewhere) RenameTo(oldName string, to FS, newName string) error {
	m, rest := e.mount(oldName)
	busy := m != nil && rest == "/"
	return e.in("rename", oldName, func(f FS, oldRest string) error {
		t, ok := to.(*elsewhere)
		if busy {
			return &os.LinkError{Op: "rename", Old: oldRest, New: Clean(newName), Err: syscall.EBUSY}
		}
		if !ok {
			return f.RenameTo(oldRest, to, newName)
		}
		return t.in("rename", newName, func(g FS, newRest string) error { return f.RenameTo(oldRest, g, newRest) })
	})
}

// OpenBoard is that of the tree: whoever is at work there is to be found, wherever each keeps its state.
func (e *elsewhere) OpenBoard(dir string) (Board, error) { return OpenBoard(e.FS, dir) }

// InPlace is that of the tree.
func (e *elsewhere) InPlace() bool {
	p, ok := e.FS.(Place)
	return !ok || p.InPlace()
}

// StandingPath is that of the tree; a place is reached by its own path.
func (e *elsewhere) StandingPath(name string) string {
	if m, _ := e.mount(name); m != nil {
		return e.HostPath(name)
	}
	if p, ok := e.FS.(Place); ok {
		return p.StandingPath(name)
	}
	return ""
}
