package restore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
)

// What a restore or an execution finds in its way and haz did not make, or that was edited since, is never lost (7.7): it is
// moved to .haz/state/displaced/<time>-<task>/<its path in the workspace>, so that the names alone tell whose way it was in,
// where it belongs, and since when it is away. The oldest folders go when a new one needs their room.
const (
	DisplacedDir = layout.StateDir + "/displaced"

	maxDisplaced      = 10_000  // things
	maxDisplacedBytes = 1 << 30 // of all of them

	displacedTime = "20060102T150405.000000000Z"
)

// Kept is something that was displaced.
type Kept struct {
	Task  string
	Path  string // workspace-absolute: where it lay
	At    string // workspace-absolute: where it lies now
	Host  string // the same on the host; in a list
	Time  time.Time
	Bytes int64
}

// errFull says that one operation displaces more than is kept at all.
var errFull = fmt.Errorf("it is more than haz keeps (%d files, %d MiB)", maxDisplaced, maxDisplacedBytes>>20)

// keeper displaces what is in the way of one task: all in one folder, which is made when the first thing comes.
type keeper struct {
	s     *Restorer
	task  string
	dir   string
	root  fsys.FS // handle on dir
	kept  []Kept
	bytes int64
	lazy  bool    // nothing takes the places at once: names are flushed in the end
	stock []batch // what older folders hold, the oldest first; known once dir is made
}

// batch is one folder of displaced things.
type batch struct {
	dir, task string
	time      time.Time
	files     []Kept
	bytes     int64
}

// errCopied says that a thing lies on another device, so that it could only be copied, and is still there.
var errCopied = errors.New("copied")

// keep moves base in the directory from, which is path in the workspace and was seen as info, to where it is kept: to, in root.
// After another error than errCopied it is where it was, and nowhere else.
func (k *keeper) keep(ctx context.Context, path string, from fsys.FS, base string, info fsys.Info) (to string, err error) {
	if k.root == nil {
		if err := k.begin(); err != nil {
			return "", err
		}
	}
	size := int64(0)
	if info.Kind == fsys.File {
		size = info.Size
	}
	if err := k.room(size); err != nil {
		return "", err
	}
	if err := makeSafely(k.root, pattern.Parent(path)); err != nil {
		return "", err
	}
	err = from.RenameTo(base, k.root, path)
	copied := errors.Is(err, syscall.EXDEV)
	if copied {
		err = k.copy(ctx, from, base, path, info)
	}
	if err != nil {
		return "", err
	}
	if !k.lazy {
		flush(k.root, pattern.Parent(path)) // before anything takes its place
	}
	k.kept = append(k.kept, Kept{Task: k.task, Path: path, At: k.dir + path, Bytes: size})
	k.bytes += size
	if copied {
		return path, errCopied
	}
	return path, nil
}

// begin makes the folder.
func (k *keeper) begin() error {
	var err error
	if k.stock, err = displaced(k.s.WS); err != nil {
		return err
	}
	if err := k.s.EnsureState(); err != nil {
		return err
	}
	if err := makeSafely(k.s.WS, DisplacedDir); err != nil {
		return err
	}
	now := k.s.Now().UTC()
	for range 16 {
		dir := DisplacedDir + "/" + now.Format(displacedTime) + "-" + k.task
		if err = k.s.WS.Mkdir(dir, site.DirPerm); err == nil {
			flush(k.s.WS, DisplacedDir)
			k.dir = dir
			k.root, err = k.s.WS.Hold(dir)
			return err
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		now = now.Add(1)
	}
	return err
}

// makeSafely makes a directory and those above it, so that it survives a power cut at once: what is moved into it a moment later
// may survive in any case, and would be nowhere without it.
func makeSafely(fsy fsys.FS, dir string) error {
	if dir == "/" {
		return nil
	}
	err := fsy.Mkdir(dir, site.DirPerm)
	if fsys.Absent(err) {
		if err := makeSafely(fsy, pattern.Parent(dir)); err != nil {
			return err
		}
		err = fsy.Mkdir(dir, site.DirPerm)
	}
	switch {
	case err == nil:
		flush(fsy, pattern.Parent(dir))
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	return nil
}

// flush brings the bytes of a file, or the names in a directory, to the device, where the file system can.
func flush(fsy fsys.FS, name string) {
	if f, err := fsy.Open(name); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}

// room drops the oldest folders until one more thing of that size has room. What the same operation has displaced is never
// dropped: then there is no room.
func (k *keeper) room(size int64) error {
	files, bytes := len(k.kept)+1, k.bytes+size
	if files > maxDisplaced || bytes > maxDisplacedBytes {
		return errFull
	}
	for i := range k.stock {
		files += len(k.stock[i].files)
		bytes = site.SaturatingAdd(bytes, k.stock[i].bytes)
	}
	for len(k.stock) > 0 && (files > maxDisplaced || bytes > maxDisplacedBytes) {
		if err := k.s.WS.RemoveAll(k.stock[0].dir); err != nil {
			return err
		}
		files -= len(k.stock[0].files)
		bytes -= k.stock[0].bytes
		k.stock = k.stock[1:]
	}
	return nil
}

// forget undoes what keep did to one thing that it copied.
func (k *keeper) forget(to string) {
	_ = k.root.Remove(to)
}

// end removes the folder when an undone restore has left nothing in it, and returns what is there.
func (k *keeper) end() []Kept {
	if k.dir == "" {
		return nil
	}
	if k.root != nil {
		k.flushNames()
		_ = k.root.Close()
		k.root = nil
	}
	ws := k.s.WS
	k.kept = slices.DeleteFunc(k.kept, func(f Kept) bool {
		_, err := ws.Lstat(f.At)
		return fsys.Absent(err)
	})
	if len(k.kept) == 0 {
		removeHollow(ws, k.dir)
	}
	return k.kept
}

// flushNames flushes the directories that things were moved to, where that was not done at once.
func (k *keeper) flushNames() {
	last := ""
	for i := range k.kept {
		if dir := pattern.Parent(k.kept[i].Path); k.lazy && dir != last {
			flush(k.root, dir)
			last = dir
		}
	}
}

// removeHollow removes a directory and those in it, as long as nothing else is there.
func removeHollow(ws fsys.FS, dir string) {
	list, err := ws.List(dir)
	if err != nil {
		return
	}
	for _, e := range list {
		if at := site.Join(dir, e.Name); site.IsDir(ws, at, e.Kind) {
			removeHollow(ws, at)
		}
	}
	_ = ws.Remove(dir)
}

// copy copies a file or link to another device. A copy that is not whole is removed.
func (k *keeper) copy(ctx context.Context, from fsys.FS, base, to string, info fsys.Info) error {
	switch info.Kind {
	case fsys.Link:
		text, err := from.Readlink(base)
		if err != nil {
			return err
		}
		return k.root.Symlink(text, to)
	case fsys.File:
	default:
		return fsys.ErrNotRegular
	}
	f, err := from.OpenNoFollow(base)
	if err != nil {
		return err
	}
	defer f.Close()
	before, err := fsys.FileInfo(f)
	if err != nil {
		return err
	}
	_, _, err = site.WriteFile(ctx, k.root, to, fs.FileMode(info.Perm&0o777), f, before.Size, k.s.Hash)
	if err == nil {
		var now fsys.Info
		if now, err = fsys.FileInfo(f); err == nil && !now.Same(before) {
			err = errors.New("it changes while it is copied")
		}
	}
	if err != nil {
		_ = k.root.Remove(to)
		return err
	}
	if info.Kind == fsys.File {
		flush(k.root, to)
	}
	flush(k.root, pattern.Parent(to))
	return nil
}

// displaced lists what is kept, the oldest folder first. Names that haz does not give are left out.
func displaced(ws fsys.FS) ([]batch, error) {
	list, err := ws.List(DisplacedDir)
	if err != nil {
		if fsys.Absent(err) {
			return nil, nil
		}
		return nil, err
	}
	var all []batch
	for _, e := range list {
		stamp, task, ok := strings.Cut(e.Name, "-")
		at, err := time.Parse(displacedTime, stamp)
		if !ok || err != nil || !site.IsDir(ws, site.Join(DisplacedDir, e.Name), e.Kind) {
			continue
		}
		b := batch{dir: site.Join(DisplacedDir, e.Name), task: task, time: at}
		b.look(ws)
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b batch) int { return cmp.Or(a.time.Compare(b.time), strings.Compare(a.dir, b.dir)) })
	return all, nil
}

// look finds what lies in a folder. What cannot be looked at is left out.
func (b *batch) look(ws fsys.FS) {
	for todo := []string{b.dir}; len(todo) > 0; {
		dir := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		list, err := ws.List(dir)
		if err != nil {
			continue
		}
		for _, e := range list {
			at := site.Join(dir, e.Name)
			info, err := ws.Lstat(at)
			switch {
			case err != nil:
			case info.Kind == fsys.Dir:
				todo = append(todo, at)
			default:
				f := Kept{Task: b.task, Path: at[len(b.dir):], At: at, Time: b.time}
				if info.Kind == fsys.File {
					f.Bytes = info.Size
				}
				b.files = append(b.files, f)
				b.bytes = site.SaturatingAdd(b.bytes, f.Bytes)
			}
		}
	}
	slices.SortFunc(b.files, func(x, y Kept) int { return strings.Compare(x.Path, y.Path) })
}

// Displaced lists what is kept of what was in somebody's way, the oldest first.
func Displaced(ws fsys.FS) ([]Kept, error) {
	batches, err := displaced(ws)
	var all []Kept
	for i := range batches {
		all = append(all, batches[i].files...)
	}
	for i := range all {
		all[i].Host = ws.HostPath(all[i].At)
	}
	return all, err
}

// Displace moves files and links that lie in the way of the task of t to where they are kept, and removes directories among
// paths that are empty, or that this leaves empty below the fixed prefix of their pattern. What could not be moved stays where it
// is, and the first such error is returned.
func (s *Restorer) Displace(ctx context.Context, t Target, paths []string) ([]Kept, error) {
	k := keeper{s: s, task: t.Task, lazy: true}
	prefixes := newPrefixes(t.Patterns)
	emptied := map[string]bool{}
	var first error
	for _, path := range paths {
		if ctx.Err() != nil {
			break
		}
		info, err := s.WS.Lstat(path)
		switch {
		case fsys.Absent(err):
			continue
		case err == nil && info.Kind == fsys.Dir:
			emptied[path] = true
			continue
		case err == nil:
			if _, err = k.keep(ctx, path, s.WS, path, info); errors.Is(err, errCopied) {
				err = s.WS.Remove(path)
			}
		}
		if err != nil && first == nil {
			first = failed(path, err, "%s cannot be moved out of the way: %v", path, fsys.Cause(err))
		}
		prefix, _ := prefixes.of(path)
		for dir := pattern.Parent(path); pattern.IsBelow(dir, prefix); dir = pattern.Parent(dir) {
			emptied[dir] = true
		}
	}
	dirs := slices.Sorted(maps.Keys(emptied))
	for _, dir := range slices.Backward(dirs) {
		if list, err := s.WS.List(dir); err == nil && len(list) == 0 {
			_ = s.WS.Remove(dir)
		}
	}
	if err := ctx.Err(); err != nil {
		return k.end(), err
	}
	return k.end(), first
}
