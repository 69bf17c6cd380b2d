package fsys

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/afero"
)

func (f *AferoFS) Name() string { return "afero " + f.on.fs.Name() }

func (f *AferoFS) HostPath(name string) string { return join(f.base, Clean(name)) }

// Close makes operations through f fail. The disk is not closed, and other file systems on it go on.
func (f *AferoFS) Close() error {
	f.closed.Store(true)
	return nil
}

// read carries out do on what name leads to.
func (f *AferoFS) read(op, name string, last whichLink, do func(p aferoPlace) error) error {
	name = Clean(name)
	f.on.mu.RLock()
	defer f.on.mu.RUnlock()
	p, err := f.find(name, last)
	if err == nil {
		err = do(p)
	}
	if err != nil {
		return pathError(op, name, f.on.cause(err))
	}
	return nil
}

func (f *AferoFS) Lstat(name string) (info Info, err error) {
	err = f.read("lstat", name, keepsLink, func(p aferoPlace) error { info = p.info(); return nil })
	return info, err
}

func (f *AferoFS) StatInfo(name string) (info Info, err error) {
	err = f.read("stat", name, followsLink, func(p aferoPlace) error { info = p.info(); return nil })
	return info, err
}

func (f *AferoFS) Stat(name string) (info os.FileInfo, err error) {
	err = f.read("stat", name, followsLink, func(p aferoPlace) error {
		info = NewFileInfo(Clean(name), p.info(), p.stat.Mode())
		return nil
	})
	return info, err
}

// List returns the entries sorted by name.
func (f *AferoFS) List(dir string) (list []Entry, err error) {
	err = f.read("list", dir, followsLink, func(p aferoPlace) (err error) {
		if p.node.kind != Dir {
			return syscall.ENOTDIR
		}
		list, err = f.on.list(p.path)
		return err
	})
	return list, err
}

func (d *aferoDisk) list(dir string) ([]Entry, error) {
	infos, err := afero.ReadDir(d.fs, dir)
	list := make([]Entry, len(infos))
	for i, info := range infos {
		list[i] = Entry{info.Name(), kindOfMode(info.Mode())}
	}
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

func (f *AferoFS) Readlink(name string) (text string, err error) {
	err = f.read("readlink", name, keepsLink, func(p aferoPlace) (err error) {
		if p.node.kind != Link {
			return syscall.EINVAL
		}
		text, err = f.on.links.ReadlinkIfPossible(p.path)
		return err
	})
	return text, err
}

func (f *AferoFS) RealPath(name string) (real string, err error) {
	err = f.read("realpath", name, followsLink, func(p aferoPlace) error {
		in := false
		if real, in = below(f.base, p.path); !in {
			return ErrOutside
		}
		return nil
	})
	return real, err
}

func (f *AferoFS) Sub(dir string) (FS, error) { return f.sub(dir, followsLink) }

func (f *AferoFS) Hold(dir string) (FS, error) { return f.sub(dir, keepsLink) }

func (f *AferoFS) sub(dir string, last whichLink) (sub FS, err error) {
	err = f.read("open", dir, last, func(p aferoPlace) error {
		if p.node.kind != Dir {
			return syscall.ENOTDIR
		}
		sub = &AferoFS{on: f.on, base: p.path}
		return nil
	})
	return sub, err
}

func (f *AferoFS) Open(name string) (afero.File, error) { return f.OpenFile(name, os.O_RDONLY, 0) }

func (f *AferoFS) OpenNoFollow(name string) (afero.File, error) {
	return f.open(name, keepsLink, func(p aferoPlace) error { return WantFile(p.node.kind) })
}

// open opens for reading what check lets pass.
func (f *AferoFS) open(name string, last whichLink, check func(p aferoPlace) error) (file afero.File, err error) {
	err = f.read("open", name, last, func(p aferoPlace) error {
		err := check(p)
		if err == nil && p.node.kind == Special {
			err = ErrNotRegular // it might wait for somebody
		}
		if err != nil {
			return err
		}
		inner, err := f.on.fs.Open(p.path)
		if err == nil {
			file = &aferoFile{on: f.on, node: p.node, path: p.path, name: Clean(name), inner: inner, readable: true}
		}
		return err
	})
	return file, err
}

func (f *AferoFS) ReadFile(name string, limit int64) (data []byte, info Info, err error) {
	file, err := f.open(name, followsLink, func(p aferoPlace) error { return nil })
	if errors.Is(err, ErrNotRegular) {
		return nil, info, pathError("read", Clean(name), ErrNotRegular)
	}
	if err != nil {
		return nil, info, err
	}
	defer file.Close()
	if info, err = FileInfo(file); err == nil {
		err = WantFile(info.Kind)
	}
	if err == nil && limit > 0 && info.Size > limit {
		err = ErrTooLong
	}
	if err == nil {
		from := io.Reader(file)
		if limit > 0 {
			from = io.LimitReader(file, limit+1)
		}
		data, err = io.ReadAll(from)
	}
	switch {
	case err != nil:
	case limit > 0 && int64(len(data)) > limit:
		err = ErrTooLong
	case int64(len(data)) < info.Size:
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, info, pathError("read", Clean(name), Cause(err))
	}
	return data, info, nil
}

func (f *AferoFS) ReadStart(name string, into []byte) (n int, whole bool, err error) {
	data, _, err := f.ReadFile(name, 0)
	return copy(into, data), err == nil && len(data) <= len(into), err
}

func (f *AferoFS) ReadUnwritten(name string, limit int64) ([]byte, Info, bool, error) {
	data, info, err := f.ReadFile(name, limit)
	return data, info, false, err
}

func (f *AferoFS) Volume(name string) (v Volume, err error) {
	err = f.read("statfs", name, followsLink, func(aferoPlace) error {
		v = Volume{Dev: aferoDev, Times: TimesLoose, Foreign: true}
		return nil
	})
	return v, err
}

func (f *AferoFS) Unwritten(name string) (Info, bool) {
	info, _ := f.StatInfo(name)
	return info, false
}

func (f *AferoFS) MappingTells(string) (bool, error) { return false, nil }
