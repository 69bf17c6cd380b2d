package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
	"github.com/haz-build/haz/workspace/load"
)

// Draft is what a confirmation writes (AUX-005, AUX-006).
type Draft struct {
	Workspace []byte            // .haz/workspace.yml
	Create    []haz.ProjectFile // haz.yml to be made
	existing  []string          // roots that have a haz.yml already, which is not touched
	offers    map[string][]task // what each of those offers to people, by root
	spelled   []string          // parents that are written child by child
}

// task is a task that an existing project offers: its name, and the first line of what it says that it is for.
type task struct{ name, brief string }

// draftOf makes the draft for a selection. has tells which roots have a haz.yml. The error is a sentence for the status line.
func draftOf(s state, has func(root string) bool) (*Draft, error) {
	p := &Draft{}
	named := map[string]string{}
	for _, root := range s.projects() {
		if err := spellable(root); err != nil {
			return nil, err
		}
		if has(root) {
			p.existing = append(p.existing, root)
			continue
		}
		name := projectName(path.Base(root))
		if err := workspace.CheckName(name); err != nil {
			return nil, fmt.Errorf("no project name can be made from %s", diag.Quote(root))
		}
		if other, taken := named[name]; taken {
			return nil, fmt.Errorf("%s and %s would both be project %s", other, root, name)
		}
		named[name] = root
		p.Create = append(p.Create, haz.ProjectFile{Root: root, Data: projectFile(name)})
	}
	var entries []string
	for at, m := range s.marks {
		switch {
		case m == markProject:
			entries = append(entries, at)
		case spellable(at) == nil && onlyProjects(at, s.dirs[at]):
			entries = append(entries, path.Join(at, "*"))
		default:
			p.spelled = append(p.spelled, at)
			for _, n := range chosen(s.dirs[at]) {
				entries = append(entries, path.Join(at, n))
			}
		}
	}
	slices.Sort(p.spelled)
	p.Workspace = workspaceFile(entries)
	return p, nil
}

// onlyProjects reports whether every directory that a glob below a parent matches becomes a project. Below the root stands
// .haz itself.
func onlyProjects(at string, d folder) bool {
	return at != "/" && !slices.ContainsFunc(d.children, func(c child) bool { return c.link || c.hidden() })
}

// spellable says why an entry of the workspace file cannot name a directory.
func spellable(root string) error {
	if root == "/" {
		return nil
	}
	if err := pattern.CheckPath(root); err != nil {
		return fmt.Errorf("%s cannot be written as a path: %w", diag.Quote(root), err)
	}
	if p, err := pattern.Parse(root); err != nil || !p.IsLiteral() {
		return fmt.Errorf("%s holds characters that mean something in patterns", diag.Quote(root))
	}
	return nil
}

// projectName makes a project name from the name of a directory; it may be no valid one.
func projectName(base string) string {
	var b strings.Builder
	for _, r := range base {
		switch {
		case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_':
			b.WriteRune(r)
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimLeft(b.String(), "-_")
}

func projectFile(name string) []byte { return []byte("name: " + config.YAML(name) + "\ntasks: {}\n") }

func workspaceFile(entries []string) []byte {
	if len(entries) == 0 {
		return []byte("projects: []\n")
	}
	slices.Sort(entries)
	text := "projects:\n"
	for _, e := range entries {
		text += "  - " + config.YAML(e) + "\n"
	}
	return []byte(text)
}

// verify loads the drafted workspace in memory, with the project files that exist: a draft that the loader would reject is
// not offered. The error is its first complaint. What the existing projects offer is noted in the draft.
func verify(ctx context.Context, dir string, p *Draft) error {
	mem := fsys.Memory()
	put := func(name string, data []byte) error {
		if err := mem.MkdirAll(path.Dir(name), 0o777); err != nil {
			return err
		}
		f, err := mem.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return errors.Join(err, f.Close())
	}
	err := put("/w"+layout.WorkspaceFile, p.Workspace)
	for _, f := range p.Create {
		err = errors.Join(err, put(path.Join("/w", f.Root, layout.ProjectFile), f.Data))
	}
	for _, root := range p.existing {
		data, _, rerr := fsys.Machine().ReadFile(filepath.Join(dir, root, layout.ProjectFile), 0)
		err = errors.Join(err, rerr, put(path.Join("/w", root, layout.ProjectFile), data))
	}
	if err != nil {
		return err
	}
	loaded, tree, err := load.Workspace(ctx, mem, "/w", load.Options{})
	if err == nil {
		p.offers = offersOf(loaded)
	}
	if tree != nil {
		_ = tree.Close()
	}
	var many *diag.Errors
	if errors.As(err, &many) && len(many.List) > 0 {
		d := many.List[0]
		if d.Place.File != "" {
			return errors.New(d.Place.File + ": " + d.Message)
		}
		return errors.New(d.Message)
	}
	return err
}

// offersOf are the tasks of each project, by its root, but for those that are internal.
func offersOf(w *workspace.Workspace) map[string][]task {
	offers := map[string][]task{}
	for _, t := range w.Tasks {
		if !t.Internal {
			offers[t.Project.Dir] = append(offers[t.Project.Dir], task{t.ID.String(), t.Brief()})
		}
	}
	return offers
}

// prepare drafts a selection on the disk.
func prepare(ctx context.Context, dir string, s state) (*Draft, error) {
	p, err := draftOf(s, func(root string) bool {
		_, err := fsys.Machine().Lstat(filepath.Join(dir, root, layout.ProjectFile))
		return !errors.Is(err, fs.ErrNotExist)
	})
	if err != nil {
		return nil, err
	}
	return p, verify(ctx, dir, p)
}
