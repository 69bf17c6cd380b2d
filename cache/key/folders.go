package key

import (
	"context"
	"slices"
	"strings"

	"github.com/haz-build/haz/fsys"
)

// Folders is how the folders on the way to some paths looked. A folder that is moved away, while another one takes its name,
// and then moved back leaves the stat of every file as it was; its own change time tells.
type Folders struct {
	fs   fsys.FS
	seen []folder // sorted by path
}

// folder is one step on the way: a folder, or a link to one.
type folder struct {
	path   string
	info   fsys.Info
	target fsys.Info // of a link
}

// LookAtFolders looks at every folder on the way from the root, which is not among them, to the paths. What is not there is
// none.
func LookAtFolders(ctx context.Context, fs fsys.FS, paths func(yield func(string) bool)) (*Folders, error) {
	ways := map[string]struct{}{}
	for path := range paths {
		for at := strings.LastIndexByte(path, '/'); at > 0; at = strings.LastIndexByte(path[:at], '/') {
			if _, known := ways[path[:at]]; known {
				break
			}
			ways[path[:at]] = struct{}{}
		}
	}
	f := &Folders{fs: fs, seen: make([]folder, 0, len(ways))}
	for way := range ways {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if now, ok := f.look(way); ok {
			f.seen = append(f.seen, now)
		}
	}
	slices.SortFunc(f.seen, func(a, b folder) int { return strings.Compare(a.path, b.path) })
	return f, ctx.Err()
}

func (f *Folders) look(path string) (folder, bool) {
	info, err := f.fs.Lstat(path)
	if err != nil {
		return folder{}, false
	}
	now := folder{path: path, info: info}
	if info.Kind == fsys.Link {
		if now.target, err = f.fs.StatInfo(path); err != nil {
			return folder{}, false
		}
	}
	return now, true
}

// Swapped lists the folders that are others than before, or were moved meanwhile, if only to come back. It looks again.
//
// A folder in which files came and went (the task's own, perhaps) has a new change time as well, and a new time of its last
// modification with it: that one hides what else was done to it.
func (f *Folders) Swapped(ctx context.Context) ([]string, error) {
	var swapped []string
	for i := range f.seen {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		was := &f.seen[i]
		now, ok := f.look(was.path)
		if !ok || !sameFolder(was.info, now.info) || !sameFolder(was.target, now.target) {
			swapped = append(swapped, was.path)
		}
	}
	return swapped, nil
}

func sameFolder(was, now fsys.Info) bool {
	return was.Kind == now.Kind && was.Inode == now.Inode && was.Dev == now.Dev && (was.CTime == now.CTime || was.MTime != now.MTime)
}
