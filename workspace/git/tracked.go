package git

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
)

// File is a name in a workspace that git tracks, or would add (PATH-025).
type File struct {
	Path    string // workspace-absolute; bytes
	Tracked bool
	// Whole says that it is a folder of which git knows no more: a submodule, or a repository that it does not track.
	Whole bool
}

// ErrNoGit says that there is a repository and no program git.
var ErrNoGit = errors.New("there is no git")

// Files asks one git, per call, which files of a workspace it tracks, and which it would add.
type Files struct{ r *repository }

// NewFiles finds the repository around a workspace. It is nil where there is none, and ErrNoGit where there is no git to ask. Nothing is
// started. It looks at Root, StartedIn and Env.
func NewFiles(o Options) (*Files, error) {
	if !inRepository(o.Root) {
		return nil, nil
	}
	r := &repository{root: o.Root, rule: "PATH-026", env: environment(o.Env, o.StartedIn)}
	var err error
	if r.program, err = find(r.env); err != nil {
		return nil, ErrNoGit
	}
	return &Files{r}, nil
}

// inRepository reports whether a directory or one above it has a .git that git takes for one.
func inRepository(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		marker := filepath.Join(dir, ".git")
		switch info, err := fsys.Machine().StatInfo(marker); {
		case err == nil && info.Kind == fsys.File:
			return true
		case err == nil && info.Kind == fsys.Dir:
			if _, err := fsys.Machine().Lstat(filepath.Join(marker, "HEAD")); err == nil {
				return true
			}
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// All lists all of the workspace, sorted by path, less what git ignores by any of its files. What is tracked is listed whether it is on disk or not.
func (f *Files) All(ctx context.Context) ([]File, error) {
	return f.list(ctx, "ls-files", "-z", "-t", "--stage", "--cached", "--others", "--exclude-standard")
}

// fewNames are named to git; of more it is asked about the workspace as a whole.
const fewNames = 200

// New lists what git would add of some names, workspace-absolute, or below them, sorted.
func (f *Files) New(ctx context.Context, names []string) ([]File, error) {
	args := []string{"--literal-pathspecs", "ls-files", "-z", "-t", "--others", "--exclude-standard"}
	if len(names) <= fewNames {
		args = append(args, "--")
		for _, n := range names {
			args = append(args, strings.TrimPrefix(n, "/"))
		}
	}
	return f.list(ctx, args...)
}

func (f *Files) list(ctx context.Context, args ...string) ([]File, error) {
	out, end, err := f.r.code(ctx, args...)
	if err == nil && end.failed != nil {
		err = end.failed
		end.failed.Message = "git does not say which files of " + diag.Quote(f.r.root) + " it tracks (" + strings.TrimPrefix(end.failed.Message, "git ") + ")"
	}
	if err != nil {
		return nil, err
	}
	var files []File
	for _, entry := range split(out) { // "H 100644 id 0\tpath", "? path"
		tag, rest, _ := strings.Cut(entry, " ")
		file := File{Tracked: tag != "?"}
		if file.Tracked {
			var head string
			head, rest, _ = strings.Cut(rest, "\t")
			file.Whole = strings.HasPrefix(head, "160000 ")
		}
		if name, isDir := strings.CutSuffix(rest, "/"); isDir {
			rest, file.Whole = name, true
		}
		if file.Path = "/" + rest; rest != "" {
			files = append(files, file)
		}
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

// Ignored lists what git ignores in the workspace, folders of which it ignores all as one name, and no name below them.
func (f *Files) Ignored(ctx context.Context) (names []string, err error) {
	out, err := f.r.run(ctx, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
	for _, n := range split(out) {
		names = append(names, "/"+strings.TrimSuffix(n, "/"))
	}
	return names, err
}

// IgnoredOf lists those of some names that git ignores.
func (f *Files) IgnoredOf(ctx context.Context, names []string) (ignored []string, err error) {
	out, end, err := f.r.fed(ctx, strings.NewReader("."+strings.Join(names, "\x00.")+"\x00"), "check-ignore", "-z", "--stdin")
	if err == nil && end.failed != nil && end.status != 1 { // 1: none
		err = end.failed
	}
	for _, n := range split(out) {
		ignored = append(ignored, strings.TrimPrefix(n, "."))
	}
	return ignored, err
}
