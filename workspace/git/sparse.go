package git

import (
	"context"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// Absent is a project that git knows and a sparse checkout leaves out.
type Absent struct {
	Dir  string // workspace-absolute
	Text string // of its haz.yml; "" when this clone does not have it
	Add  string // the command that checks it out
}

// NotCheckedOut lists the directories below a workspace that have a haz.yml in git's index and, since the checkout is sparse, not
// on disk. Where the checkout is not sparse, that costs two looks at the disk. Nothing that goes wrong is an error: what is
// missing is missing then.
//
// It looks at Root, StartedIn and Env.
func NotCheckedOut(ctx context.Context, o Options) []Absent {
	if !IsSparse(fsys.Machine(), o.Root) {
		return nil
	}
	r, err := open(ctx, o)
	if err != nil {
		return nil
	}
	out, err := r.run(ctx, "ls-files", "--stage", "-t", "-z", "--full-name", "--", ":(glob)**/"+layout.ProjectFile)
	if err != nil {
		return nil
	}
	var list []Absent
	var ids []string
	for _, line := range split(out) { // "S 100644 id 0\tpath"
		head, name, ok := strings.Cut(line, "\t")
		f := strings.Fields(head)
		if !ok || len(f) != 4 || f[0] != "S" {
			continue
		}
		if _, err := fsys.Machine().Lstat(filepath.Join(r.top, name)); err == nil {
			continue
		}
		dir := path.Dir(name)
		rest, inside := strings.CutPrefix(dir+"/", r.prefix)
		if !inside || rest == "" || dir == "." {
			continue
		}
		list = append(list, Absent{Dir: "/" + strings.TrimSuffix(rest, "/"), Add: r.sparseAdd(dir)})
		ids = append(ids, f[2])
	}
	texts := r.present(ctx, ids)
	for i := range list {
		list[i].Text = texts[ids[i]]
	}
	return list
}

// IsSparse reports whether the work tree around a directory of the machine has ever been a sparse one. Where it has not, NotCheckedOut looks
// at nothing else.
func IsSparse(machine fsys.FS, dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		marker := filepath.Join(dir, ".git")
		info, err := machine.StatInfo(marker)
		switch {
		case err == nil && info.Kind == fsys.Dir:
			return hasSparseFile(machine, marker)
		case err == nil && info.Kind == fsys.File:
			text, _, err := machine.ReadFile(marker, 0) // "gitdir: ../where"
			gitDir := strings.TrimSuffix(strings.TrimPrefix(string(text), "gitdir: "), "\n")
			if !filepath.IsAbs(gitDir) {
				gitDir = filepath.Join(dir, gitDir)
			}
			return err == nil && hasSparseFile(machine, gitDir)
		case dir == filepath.Dir(dir):
			return false
		}
	}
}

func hasSparseFile(machine fsys.FS, gitDir string) bool {
	_, err := machine.Lstat(filepath.Join(gitDir, "info", "sparse-checkout"))
	return err == nil
}

// sparseAdd is the command that checks a directory out, for people in the root of the workspace.
func (r *repository) sparseAdd(dir string) string {
	command := "git sparse-checkout add "
	if r.prefix != "" {
		command = "git -C " + diag.ShellWord(r.top) + " sparse-checkout add "
	}
	return command + diag.ShellWord(dir)
}

// present reads those of some blobs that this clone has, none of them longer than a definition may be.
func (r *repository) present(ctx context.Context, ids []string) map[string]string {
	if len(ids) == 0 {
		return nil
	}
	out, end, err := r.fed(ctx, strings.NewReader(strings.Join(ids, "\n")+"\n"), "cat-file", "--batch-check")
	if err != nil || end.failed != nil {
		return nil
	}
	here := map[string]bool{}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 3 && f[1] == "blob" {
			if size, err := strconv.ParseInt(f[2], 10, 64); err == nil && size < definitionMax {
				here[f[0]] = true
			}
		}
	}
	if len(here) == 0 {
		return nil
	}
	texts, err := r.objects(ctx, keys(here))
	if err != nil {
		return nil
	}
	return texts
}
