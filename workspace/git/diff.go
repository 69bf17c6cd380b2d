package git

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// The kinds of things that git knows, as it spells their modes.
const (
	modeLink   = "120000"
	modeModule = "160000"
	modeExec   = "100755"
	modeNone   = "000000"
)

// entry is one line of git's raw comparison of a commit with the index or the work tree.
type entry struct {
	oldMode, newMode, oldID, newID string
	path                           string // from the top of the work tree
}

// indexed is one line of git's index.
type indexed struct {
	mode, id, path string
	// hidden says that git was told not to look whether the file in the work tree is this one (assume-unchanged,
	// skip-worktree).
	hidden, absent bool
}

// diff asks what differs between a commit and the work tree, or the index where staged. What the index says is believed, so
// that nothing is written and no hook of an index that changed is run; settled finds out what was only touched.
func (r *repository) diff(ctx context.Context, commit string, staged bool, where []string) ([]entry, error) {
	// The order of names, external programs, paths relative to here: whatever the user's configuration says of it is undone.
	// What changed inside of submodules is asked of themselves: git would start another git in each, with its configuration.
	args := []string{"diff-index", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-relative",
		"--ignore-submodules=dirty", "--no-color", "-O/dev/null"}
	if staged {
		args = append(args, "--cached", "--ita-invisible-in-index")
	}
	out, err := r.run(ctx, slices.Concat(args, []string{commit, "--"}, where)...)
	if err != nil {
		return nil, err
	}
	entries := parseRaw(out)
	if staged {
		return entries, nil
	}
	return r.settled(ctx, entries)
}

// parseRaw reads the raw format: ":mode mode id id status" and a path, each ended by NUL.
func parseRaw(out string) []entry {
	var list []entry
	parts := split(out)
	for i := 0; i+1 < len(parts); i += 2 {
		f := strings.Fields(strings.TrimPrefix(parts[i], ":"))
		if len(f) < 4 {
			continue
		}
		list = append(list, entry{oldMode: f[0], newMode: f[1], oldID: f[2], newID: f[3], path: parts[i+1]})
	}
	return list
}

// settled leaves out the files that were only touched: of them git knows only that their times differ from those in the index.
func (r *repository) settled(ctx context.Context, list []entry) ([]entry, error) {
	var doubtful []doubt
	for i, e := range list {
		if e.oldMode == e.newMode && e.newMode != modeModule && strings.Trim(e.newID, "0") == "" {
			doubtful = append(doubtful, doubt{at: i, path: e.path, id: e.oldID, link: e.newMode == modeLink})
		}
	}
	same, err := r.unchanged(ctx, doubtful)
	if err != nil {
		return nil, err
	}
	kept := list[:0]
	for i, e := range list {
		if !same[i] {
			kept = append(kept, e)
		}
	}
	return kept, nil
}

// doubt is a path whose content may or may not be the object id.
type doubt struct {
	at       int
	path, id string
	link     bool
}

// unchanged tells which doubts are none: the content is the one of the id. Ends of lines are converted as git would.
func (r *repository) unchanged(ctx context.Context, list []doubt) (map[int]bool, error) {
	same := map[int]bool{}
	var files []doubt
	for _, d := range list {
		host := filepath.Join(r.top, d.path)
		switch {
		case d.link:
			if text, err := fsys.Machine().Readlink(host); err == nil && blobID(text, len(d.id)) == d.id {
				same[d.at] = true
			}
		case strings.ContainsRune(d.path, '\n') || d.path[0] == '"': // cannot be asked a line each
		default:
			if info, err := fsys.Machine().Lstat(host); err == nil && info.Kind == fsys.File {
				files = append(files, d)
			}
		}
	}
	if len(files) == 0 {
		return same, nil
	}
	var names strings.Builder
	for _, d := range files {
		names.WriteString(d.path + "\n")
	}
	top := *r
	top.root = r.top // names are relative to the directory git is in
	out, end, err := top.fed(ctx, strings.NewReader(names.String()), "hash-object", "--stdin-paths")
	if err != nil || end.failed != nil { // a file that cannot be read, or has just gone: they count as changed
		return same, err
	}
	for i, id := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
		if i < len(files) && id == files[i].id {
			same[files[i].at] = true
		}
	}
	return same, nil
}

// blobID is git's name for a content, in as many digits as ids of the repository have.
func blobID(text string, digits int) string {
	object := fmt.Appendf(nil, "blob %d\x00%s", len(text), text)
	if digits == 64 {
		sum := sha256.Sum256(object)
		return hex.EncodeToString(sum[:])
	}
	sum := sha1.Sum(object)
	return hex.EncodeToString(sum[:])
}

// untracked lists files that git does not know and does not ignore; of nested repositories the directory, with a slash.
func (r *repository) untracked(ctx context.Context, where []string) ([]string, error) {
	out, err := r.run(ctx, slices.Concat([]string{"ls-files", "--others", "--exclude-standard", "-z", "--full-name", "--"}, where)...)
	return split(out), err
}

// isDefinition reports whether a file may declare something: a haz.yml, or what lies in a folder .haz.
func isDefinition(path string) bool {
	path = "/" + path
	return strings.HasSuffix(path, "/"+layout.ProjectFile) || strings.Contains(path, layout.Dir+"/")
}

// index lists links, submodules, files of definitions, and entries that git does not compare.
func (r *repository) index(ctx context.Context, where []string) ([]indexed, error) {
	out, err := r.run(ctx, slices.Concat([]string{"ls-files", "--stage", "-v", "-z", "--full-name", "--"}, where)...)
	if err != nil {
		return nil, err
	}
	var list []indexed
	for line := range strings.SplitSeq(out, "\x00") { // "H 100644 id 0\tpath"
		if len(line) < 9 || line[1] != ' ' {
			continue
		}
		tag, mode := line[0], line[2:8]
		hidden := tag >= 'a' && tag <= 'z' || tag == 'S'
		if !hidden && mode != modeLink && mode != modeModule && !isDefinition(line[strings.IndexByte(line, '\t')+1:]) {
			continue
		}
		head, path, ok := strings.Cut(line, "\t")
		f := strings.Fields(head)
		if ok && len(f) == 4 {
			list = append(list, indexed{mode: mode, id: f[2], path: path, hidden: hidden, absent: tag == 'S' || tag == 's'})
		}
	}
	return list, nil
}

// hiddenChanges are entries that git was told to take for unchanged, and that are not.
func (r *repository) hiddenChanges(ctx context.Context, list []indexed) ([]entry, error) {
	var changed []entry
	var doubtful []doubt
	for i, x := range list {
		if !x.hidden || x.mode == modeModule {
			continue
		}
		info, err := fsys.Machine().Lstat(filepath.Join(r.top, x.path))
		mode := modeNone
		switch {
		case err != nil && x.absent: // not checked out, as it should be
			continue
		case err != nil:
		case info.Kind == fsys.Link:
			mode = modeLink
		case info.Kind == fsys.File && info.Perm&0o100 != 0:
			mode = modeExec
		case info.Kind == fsys.File:
			mode = "100644"
		}
		if mode == x.mode {
			doubtful = append(doubtful, doubt{at: i, path: x.path, id: x.id, link: mode == modeLink})
			continue
		}
		changed = append(changed, entry{oldMode: x.mode, newMode: mode, oldID: x.id, path: x.path})
	}
	same, err := r.unchanged(ctx, doubtful)
	for _, d := range doubtful {
		if !same[d.at] {
			x := list[d.at]
			changed = append(changed, entry{oldMode: x.mode, newMode: x.mode, oldID: x.id, path: x.path})
		}
	}
	return changed, err
}
