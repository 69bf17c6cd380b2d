package restore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
)

// folders are the directories that a restore works in. Each is opened once, a step at a time from one that is open already and
// never through a link below the fixed prefix of a pattern, and then held: whatever is written, renamed or removed is one name
// in a held directory, so that nothing that is put in the place of a directory meanwhile is worked through (4.6, 7.5).
type folders struct {
	ws    fsys.FS
	links map[string]fsys.Info // that were on the way when the outputs were compared: only these are gone through
	at    map[string]*folder   // by name in the workspace
	held  []*folder            // with a handle, the one used longest ago first
	troubles
}

// A folder is one directory. It stays known when its handle is given back; a later one must be of the same directory.
type folder struct {
	path   string
	linked string    // the deepest link on the way to it; "" when there is none
	fs     fsys.FS   // nil: not open now
	info   fsys.Info // of when it was first opened
	wrote  bool      // an output was put there
}

// maxHeld bounds how many handles a restore keeps: as deep as trees are, and far below what a process may open.
const maxHeld = 32

func newFolders(ws fsys.FS, links map[string]fsys.Info) *folders {
	return &folders{ws: ws, links: links, at: map[string]*folder{}}
}

// errSwapped says that the directory which was worked in does not have its name any more.
var errSwapped = errors.New("it was replaced or moved while it was needed")

// to opens the directory that path lies in. It returns wayDir with it; wayAbsent when the way ends at a directory that does
// not exist; wayBlocked otherwise. at is the place where it ends.
func (h *folders) to(path, prefix string) (f *folder, k wayKind, at string) {
	return h.open(pattern.Parent(path), prefix)
}

// open is to for the directory itself.
func (h *folders) open(dir, prefix string) (f *folder, k wayKind, at string) {
	if f := h.at[dir]; f != nil && f.fs != nil {
		if !f.mayServe(prefix) {
			return nil, wayBlocked, f.linked
		}
		h.use(f)
		return f, wayDir, dir
	}
	if dir == "/" {
		return h.keep(dir, "", func() (fsys.FS, error) { return h.ws.Hold("/") })
	}
	if f := h.straight(dir); f != nil {
		return f, wayDir, dir
	}
	parent, k, at := h.open(pattern.Parent(dir), prefix)
	if k != wayDir {
		return nil, k, at
	}
	base := dir[strings.LastIndexByte(dir, '/'):]
	f, k, at = h.keep(dir, parent.linked, func() (fsys.FS, error) { return parent.fs.Hold(base) })
	if k == wayBlocked && (dir == prefix || pattern.IsBelow(prefix, dir)) {
		return h.through(dir, parent, base)
	}
	return f, k, at
}

// straight opens dir in one step, which most often is all there is to it: nothing but folders on the way. It is nil where the walk has to
// tell what there is, and where that begins beside dir.
func (h *folders) straight(dir string) *folder {
	if p := h.at[pattern.Parent(dir)]; p != nil && p.fs != nil {
		return nil
	}
	fs, err := fsys.HoldStraight(h.ws, dir)
	if err != nil {
		return nil
	}
	info, err := fs.Lstat("/")
	f := h.at[dir]
	if err != nil || f != nil && (f.linked != "" || f.info.Inode != info.Inode || f.info.Dev != info.Dev) {
		_ = fs.Close()
		return nil
	}
	if f == nil {
		f = &folder{path: dir, info: info}
		h.at[dir] = f
	}
	f.fs = fs
	h.use(f)
	return f
}

// mayServe reports whether all links on the way lie within the fixed prefix.
func (f *folder) mayServe(prefix string) bool {
	return f.linked == "" || f.linked == prefix || pattern.IsBelow(prefix, f.linked)
}

// keep opens dir, which is reached through a link at linked, and keeps the handle.
func (h *folders) keep(dir, linked string, open func() (fsys.FS, error)) (*folder, wayKind, string) {
	fs, err := open()
	switch {
	case site.IsAbsentNow(err):
		return nil, wayAbsent, dir
	case err != nil:
		if !isNoDir(err) {
			h.fail(dir, err)
		}
		return nil, wayBlocked, dir
	}
	info, err := fs.Lstat("/")
	f := h.at[dir]
	switch {
	case err == nil && f == nil:
		f = &folder{path: dir, linked: linked, info: info}
		h.at[dir] = f
	case err == nil && (f.info.Inode != info.Inode || f.info.Dev != info.Dev || f.linked != linked):
		err = errSwapped
	}
	if err != nil {
		_ = fs.Close()
		h.fail(dir, err)
		return nil, wayBlocked, dir
	}
	f.fs = fs
	h.use(f)
	return f, wayDir, dir
}

// isNoDir reports that something else than a directory lies at a name, a link perhaps.
func isNoDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP) }

// through opens what a link at dir, within the fixed prefix, leads to: a directory of the workspace, outside of /.haz. It is
// walked to by its real name, in which no link is followed.
func (h *folders) through(dir string, parent *folder, base string) (*folder, wayKind, string) {
	info, err := parent.fs.Lstat(base)
	if err == nil && info.Kind != fsys.Link {
		return nil, wayBlocked, dir
	}
	var real string
	if err == nil {
		real, err = h.ws.RealPath(dir)
	}
	if err == nil && pattern.IsOrBelow(real, layout.Dir) {
		return nil, wayBlocked, dir
	}
	if was, ok := h.links[dir]; err == nil && (!ok || !was.Same(info)) {
		err = errSwapped
	}
	if err != nil {
		h.fail(dir, err)
		return nil, wayBlocked, dir
	}
	delete(h.troubles, dir)
	f, k, _ := h.keep(dir, dir, func() (fsys.FS, error) { return fsys.HoldStraight(h.ws, real) })
	if k != wayDir {
		return nil, wayBlocked, dir // also where the target went away just now
	}
	return f, k, dir
}

// use makes f the folder that was used last, and gives handles back when there are too many.
func (h *folders) use(f *folder) {
	if n := len(h.held); n > 0 && h.held[n-1] == f {
		return
	}
	if i := slices.Index(h.held, f); i >= 0 {
		h.held = slices.Delete(h.held, i, i+1)
	}
	h.held = append(h.held, f)
	for len(h.held) > maxHeld {
		h.held[0].close()
		h.held = slices.Delete(h.held, 0, 1)
	}
}

// again opens a folder that was held before, for undoing; nil when its directory cannot be reached any more. One that the
// restore itself has removed and made again (forget) is as good.
func (h *folders) again(f *folder) fsys.FS {
	if f.fs == nil {
		// Whichever prefix it was opened under covered its links.
		g, k, _ := h.open(f.path, f.prefix())
		if k != wayDir {
			return nil
		}
		f = g
	}
	return f.fs
}

// lookIn is the lstat of path, which lies in f; zero when it cannot be looked at.
func (h *folders) lookIn(f *folder, path string) fsys.Info {
	if fs := h.again(f); fs != nil {
		if info, err := fs.Lstat(name(path)); err == nil {
			return info
		}
	}
	return fsys.Info{}
}

// prefix is a prefix that allows what is on the way to f.
func (f *folder) prefix() string {
	if f.linked == "" {
		return "/"
	}
	return f.linked
}

// forget drops what is known of dir and all below it: it was moved out of the way or removed.
func (h *folders) forget(dir string) {
	for path, f := range h.at {
		if path == dir || pattern.IsBelow(path, dir) {
			f.close()
			delete(h.at, path)
			h.held = slices.DeleteFunc(h.held, func(o *folder) bool { return o == f })
		}
	}
}

// linksStand looks whether the links that were gone through are still those that were there at first.
func (h *folders) linksStand() error {
	for path, f := range h.at {
		if f.linked != path {
			continue
		}
		if info, err := h.ws.Lstat(path); err != nil || !info.Same(h.links[path]) {
			return failed(path, err, "the link %s: %v", path, errSwapped)
		}
	}
	return nil
}

// inPlace looks whether every folder with an output still has its name: what lies elsewhere is no output.
func (h *folders) inPlace() error {
	for path, f := range h.at {
		if !f.wrote {
			continue
		}
		info, err := h.ws.StatInfo(path)
		if err == nil && (info.Inode != f.info.Inode || info.Dev != f.info.Dev) {
			err = errSwapped
		}
		if err != nil {
			return failed(path, err, "the directory %s: %v", path, fsys.Cause(err))
		}
	}
	return h.linksStand()
}

func (h *folders) close() {
	for _, f := range h.held {
		f.close()
	}
	h.held = nil
}

func (f *folder) close() {
	if f.fs != nil {
		_ = f.fs.Close()
		f.fs = nil
	}
}

// name is what the last segment of path is called in the folder that holds it.
func name(path string) string { return path[strings.LastIndexByte(path, '/'):] }

// troubles are what kept directories from being looked at.
type troubles map[string]error

func (t *troubles) fail(dir string, err error) {
	if *t == nil {
		*t = make(troubles)
	}
	(*t)[dir] = err
}

// trouble is what kept dir from being looked at; nil when it was seen to be no way.
func (t troubles) trouble(dir string) error {
	err := t[dir]
	if fsys.Absent(err) || errors.Is(err, fsys.ErrOutside) || errors.Is(err, syscall.ELOOP) {
		return nil
	}
	return err
}

// whyBlocked is a sentence about the place where a way ended.
func (t troubles) whyBlocked(dir string) (string, error) {
	err := t[dir]
	switch {
	case errors.Is(err, fsys.ErrOutside):
		return dir + " leads out of the workspace", err
	case site.IsAbsentNow(err):
		return dir + " is a link to nothing", err
	case err != nil:
		return fmt.Sprintf("%s: %v", dir, fsys.Cause(err)), err
	}
	return dir + " is in the way", nil
}
