package fsys

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/spf13/afero"
)

// FromAfero makes a file system of any of afero's. Use one for one disk: locks, and the numbers that tell files apart, are its own.
//
// What afero's interface does not have is not there:
//
//   - A stat proves nothing. There is no time of change, and numbers of files are made up, so Volume says TimesLoose: whoever wants to
//     know whether a file changed reads it. A file that is changed and changed back, its time too, while somebody looks away was not.
//   - Locks keep apart who shares the AferoFS, not other processes.
//   - Links are those of afero.Symlinker. Where the disk is none, Symlink fails with errors.ErrUnsupported. A link that leads out of the disk
//     is ErrOutside.
//   - There are no second names (Link) and no shared storage (CloneFile): errors.ErrUnsupported.
//   - Sync of a file is what the disk makes of it.
//   - Sub and Hold go by names: who moves the directory takes it away from them. A directory that is empty goes before another one takes
//     its name.
//   - FIFOs and devices are not opened: ErrNotRegular.
//   - Nobody owns anything, and permission bits forbid what the disk makes them forbid.
//
// All else of FS holds, whatever the disk does on its own: files need existing directories, renames follow POSIX, a directory that is
// not empty stays, links are followed here and never by the disk. That costs a look at each directory on the way to a name where there are
// links, and several looks for each change, one change at a time. The disk must be safe for concurrent use, as afero.NewMemMapFs is.
func FromAfero(disk afero.Fs) *AferoFS {
	d := &aferoDisk{fs: disk, nodes: map[string]*aferoNode{}}
	d.links, _ = disk.(afero.Symlinker)
	return &AferoFS{on: d, base: "/"}
}

// AferoFS is what FromAfero makes.
type AferoFS struct {
	on     *aferoDisk
	base   string // real path of the root on the disk
	closed atomic.Bool
}

var _ FS = (*AferoFS)(nil)

// aferoDisk is what all share that Sub made from one.
type aferoDisk struct {
	fs    afero.Fs
	links afero.Symlinker // nil: there are none

	mu sync.RWMutex // held where names are looked up, and alone where they change

	nodeMu    sync.Mutex
	nodes     map[string]*aferoNode // by real path, as far as somebody asked
	lastInode uint64
}

// aferoNode is what lies at a path, as long as it is known to be the same.
type aferoNode struct {
	inode  uint64
	kind   Kind
	gone   atomic.Bool // it has no name any more
	locks  LockTable
	append sync.Mutex // held while something is put to the end of it
}

// aferoDev is the device number of all of them. Nothing is concluded from it.
const aferoDev = 0x61666572

// cause is an error of the disk in the words of the system.
func (d *aferoDisk) cause(err error) error {
	err = Cause(err)
	if _, is := err.(syscall.Errno); is {
		return err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return syscall.ENOENT
	case errors.Is(err, fs.ErrExist):
		return syscall.EEXIST
	}
	return err
}

// look is what lies at a real path.
func (d *aferoDisk) look(path string) (os.FileInfo, *aferoNode, error) {
	var info os.FileInfo
	var err error
	if d.links != nil {
		info, _, err = d.links.LstatIfPossible(path)
	} else {
		info, err = d.fs.Stat(path)
	}
	if err != nil {
		if err = d.cause(err); Absent(err) {
			d.forget(path)
		}
		return nil, nil, err
	}
	return info, d.node(path, kindOfMode(info.Mode())), nil
}

func (d *aferoDisk) node(path string, kind Kind) *aferoNode {
	d.nodeMu.Lock()
	defer d.nodeMu.Unlock()
	n := d.nodes[path]
	if n == nil || n.kind != kind {
		if n != nil {
			n.gone.Store(true)
		}
		d.lastInode++
		n = &aferoNode{inode: d.lastInode, kind: kind}
		d.nodes[path] = n
	}
	return n
}

// forget is told that nothing lies at path any more.
func (d *aferoDisk) forget(path string) {
	d.nodeMu.Lock()
	defer d.nodeMu.Unlock()
	d.moveNodes(path, "")
}

// moved is told of a rename.
func (d *aferoDisk) moved(from, to string) {
	d.nodeMu.Lock()
	defer d.nodeMu.Unlock()
	d.moveNodes(to, "")
	d.moveNodes(from, to)
}

// moveNodes gives what lies at a path and below other names, or none. The caller holds nodeMu.
func (d *aferoDisk) moveNodes(from, to string) {
	at := d.nodes[from]
	if at == nil {
		return // nothing below was asked for without it
	}
	names := []string{from}
	if at.kind == Dir {
		for name := range d.nodes {
			if strings.HasPrefix(name, from+"/") {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		n := d.nodes[name]
		delete(d.nodes, name)
		if to == "" {
			n.gone.Store(true)
		} else {
			d.nodes[to+name[len(from):]] = n
		}
	}
}

func kindOfMode(m fs.FileMode) Kind {
	switch m.Type() {
	case 0:
		return File
	case fs.ModeDir:
		return Dir
	case fs.ModeSymlink:
		return Link
	}
	return Special
}

func (n *aferoNode) info(i os.FileInfo) Info {
	info := Info{Kind: n.kind, Perm: ModePerm(i.Mode()), Nlink: 1, Size: i.Size(), MTime: i.ModTime().UnixNano(), Inode: n.inode, Dev: aferoDev}
	info.CTime = info.MTime
	if n.kind == Dir {
		info.Nlink = 2
	}
	if n.gone.Load() {
		info.Nlink = 0
	}
	return info
}

// aferoPlace is where a name leads: the real directory of its last segment, its real path, and what lies there (node is nil when nothing
// does).
type aferoPlace struct {
	dir, path string
	stat      os.FileInfo
	node      *aferoNode
}

func (p *aferoPlace) kind() Kind {
	if p.node == nil {
		return Unknown
	}
	return p.node.kind
}

func (p *aferoPlace) info() Info { return p.node.info(p.stat) }

// walk follows a clean name, links by their texts: the disk only gets paths without any.
func (f *AferoFS) walk(name string, last whichLink) (p aferoPlace, err error) {
	switch {
	case f.closed.Load():
		return p, fs.ErrClosed
	case len(name) > MaxPath:
		return p, syscall.ENAMETOOLONG
	case strings.IndexByte(name, 0) >= 0:
		return p, syscall.EINVAL
	}
	if f.on.links == nil && !slices.ContainsFunc(strings.Split(name, "/"), func(seg string) bool { return len(seg) > MaxSegment }) {
		full := join(f.base, name)
		if p.stat, p.node, err = f.on.look(full); err == nil {
			p.dir, p.path = path.Dir(full), full
			return p, nil
		}
	}
	cur, rest := f.base, name
	for links := 0; ; {
		p = aferoPlace{dir: cur, path: cur}
		if rest = strings.TrimLeft(rest, "/"); rest == "" {
			p.stat, p.node, err = f.on.look(cur)
			return p, err
		}
		seg, tail, slash := strings.Cut(rest, "/")
		isLast := strings.Trim(tail, "/") == ""
		rest = tail
		switch {
		case seg == ".":
			continue
		case seg == "..":
			cur = path.Dir(cur)
			continue
		case len(seg) > MaxSegment:
			return p, syscall.ENAMETOOLONG
		}
		p.path = join(cur, "/"+seg)
		p.stat, p.node, err = f.on.look(p.path)
		switch {
		case err == syscall.ENOENT && isLast && !slash:
			return p, nil
		case err != nil:
			return p, err
		case p.node.kind == Link && (!isLast || slash || last == followsLink):
			text, err := f.on.links.ReadlinkIfPossible(p.path)
			if err != nil {
				return p, f.on.cause(err)
			}
			if links++; links > MaxLinks {
				return p, syscall.ELOOP
			}
			if slash {
				text += "/" + tail
			}
			if rest = text; strings.HasPrefix(text, "/") {
				cur = "/"
			}
		case p.node.kind != Dir && (!isLast || slash):
			return p, syscall.ENOTDIR
		case isLast:
			return p, nil
		default:
			cur = p.path
		}
	}
}

// find is walk for what reads: something must lie there.
func (f *AferoFS) find(name string, last whichLink) (aferoPlace, error) {
	p, err := f.walk(name, last)
	if err == nil && p.node == nil {
		err = syscall.ENOENT
	}
	if err == syscall.ENOENT && last == followsLink && f.on.links != nil {
		if info, err := f.on.fs.Stat(join(f.base, name)); err == nil && kindOfMode(info.Mode()) != Link {
			return p, ErrOutside // a disk that lies in another one, and a link to there
		}
	}
	return p, err
}

// reach is walk for what writes: it must end below the root, in a directory that is there.
func (f *AferoFS) reach(name string, last whichLink) (aferoPlace, error) {
	p, err := f.walk(name, last)
	if p.path == "" { // not even begun
		return p, err
	}
	at := p.dir
	if p.kind() == Dir {
		at = p.path
	}
	if _, in := below(f.base, at); !in {
		return p, ErrOutside
	}
	if err == nil && p.node == nil {
		if _, dir, lookErr := f.on.look(p.dir); lookErr != nil || dir.kind != Dir {
			err = syscall.ENOENT // removed while it was the root of a Sub
		}
	}
	return p, err
}

// reachNew is reach for a name that must not exist.
func (f *AferoFS) reachNew(name string) (aferoPlace, error) {
	p, err := f.reach(name, keepsLink)
	if err == nil && p.node != nil {
		err = syscall.EEXIST
	}
	return p, err
}

// reachOld is reach for a name that must.
func (f *AferoFS) reachOld(name string, last whichLink) (aferoPlace, error) {
	p, err := f.reach(name, last)
	if err == nil && p.node == nil {
		err = syscall.ENOENT
	}
	return p, err
}
