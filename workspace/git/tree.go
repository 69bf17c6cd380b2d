package git

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// Tree is the part of a repository that a commit holds and that the definitions of a workspace in it can be read from: of all of it, since
// links lead out of the workspace. All names are paths from its top.
type Tree struct {
	Root  string            // where the workspace lies: "/" or "/ws"
	Dirs  []string          // all directories, outer ones first
	Files map[string]string // haz.yml, what lies in .haz, what else was asked for, and what links of such names lead to
	Links map[string]string // all links, with their texts
}

// definitionMax is more than a definition file may have (chapter 1, section 3).
const definitionMax = 16<<20 + 1

// Tree reads the definitions that the base, or the index, has, from git's objects alone: the work tree is not touched, and submodules are read
// at the commits that the base names. also names files, workspace-absolute, that are read as well. The error says what is not there.
func (b *Base) Tree(ctx context.Context, also func(name string) bool) (*Tree, error) {
	root := path.Join("/", b.r.prefix)
	wants := func(name string) bool {
		below, inside := strings.CutPrefix(name, strings.TrimSuffix(root, "/"))
		return isDefinition(name[1:]) || inside && strings.HasPrefix(below, "/") && also(below)
	}
	t := treeReader{ctx: ctx, wants: wants, tree: &Tree{Root: root, Files: map[string]string{}, Links: map[string]string{}}, blobs: map[string]blob{}}
	list := t.list
	if b.staged {
		list = t.index
	}
	if err := list(b.r, b.Commit, ""); err != nil {
		return nil, err
	}
	if err := t.read(); err != nil {
		return nil, err
	}
	return t.tree, nil
}

// blob is a file of a tree, and where its content is.
type blob struct {
	in   *repository
	id   string
	link bool
}

type treeReader struct {
	ctx   context.Context
	wants func(name string) bool
	tree  *Tree
	blobs map[string]blob // by name
}

// list lists what a commit of a repository has, and puts it below the directory at.
func (t *treeReader) list(r *repository, commit, at string) error {
	out, err := r.run(t.ctx, "ls-tree", "-r", "-t", "-z", "--full-tree", commit)
	if err != nil {
		return err
	}
	for line := range strings.SplitSeq(out, "\x00") { // "100644 blob id\tpath"
		head, name, ok := strings.Cut(line, "\t")
		f := strings.Fields(head)
		if !ok || len(f) != 3 {
			continue
		}
		name = at + "/" + name
		switch {
		case f[1] == "tree":
			t.tree.Dirs = append(t.tree.Dirs, name)
		case f[0] == modeModule:
			t.tree.Dirs = append(t.tree.Dirs, name)
			if err := t.module(r, f[2], name, strings.TrimPrefix(name, at+"/")); err != nil {
				return err
			}
		default:
			t.blobs[name] = blob{r, f[2], f[0] == modeLink}
		}
	}
	return nil
}

// index lists what the index of a repository has.
func (t *treeReader) index(r *repository, _, at string) error {
	out, err := r.run(t.ctx, "ls-files", "--stage", "-z", "--full-name", "--", ":/")
	if err != nil {
		return err
	}
	known := map[string]bool{"": true}
	for _, line := range split(out) { // "100644 id 0\tpath"; of a conflict our side
		head, name, ok := strings.Cut(line, "\t")
		f := strings.Fields(head)
		if !ok || len(f) != 3 || f[2] != "0" && f[2] != "2" {
			continue
		}
		for i, c := range name {
			if c == '/' && !known[name[:i]] {
				known[name[:i]] = true
				t.tree.Dirs = append(t.tree.Dirs, at+"/"+name[:i])
			}
		}
		if f[0] != modeModule {
			t.blobs[at+"/"+name] = blob{r, f[1], f[0] == modeLink}
			continue
		}
		t.tree.Dirs = append(t.tree.Dirs, at+"/"+name)
		if err := t.module(r, f[1], at+"/"+name, name); err != nil {
			return err
		}
	}
	return nil
}

// module lists a submodule. One that is not checked out has no definitions that count now, and had none that are known.
func (t *treeReader) module(r *repository, commit, name, below string) error {
	sub, err := r.inner(t.ctx, filepath.Join(r.top, below))
	if err != nil || sub == nil {
		return err
	}
	return t.list(sub, commit, name)
}

// read reads definitions and links, and what links with the names of definitions lead to.
func (t *treeReader) read() error {
	want := map[string]bool{}
	for name, b := range t.blobs {
		if b.link || t.wants(name) {
			want[name] = true
		}
	}
	for len(want) > 0 {
		texts, err := t.contents(want)
		if err != nil {
			return err
		}
		want = map[string]bool{}
		for name, text := range texts {
			if !t.blobs[name].link {
				t.tree.Files[name] = text
				continue
			}
			t.tree.Links[name] = text
			target := path.Join(path.Dir(name), text)
			if _, there := t.blobs[target]; there && t.wants(name) && !path.IsAbs(text) && !t.blobs[target].link {
				if _, known := t.tree.Files[target]; !known {
					want[target] = true
				}
			}
		}
	}
	return nil
}

// contents reads blobs.
func (t *treeReader) contents(want map[string]bool) (map[string]string, error) {
	byRepository := map[*repository]map[string]bool{}
	for name := range want {
		b := t.blobs[name]
		if byRepository[b.in] == nil {
			byRepository[b.in] = map[string]bool{}
		}
		byRepository[b.in][b.id] = true
	}
	texts := make(map[string]string, len(want))
	for r, ids := range byRepository {
		content, err := r.objects(t.ctx, keys(ids))
		if err != nil {
			return nil, err
		}
		for name := range want {
			if b := t.blobs[name]; b.in == r {
				texts[name] = content[b.id]
			}
		}
	}
	return texts, nil
}

// objects reads blobs by id. One that is missing, as in a partial clone, or too long, is an error.
func (r *repository) objects(ctx context.Context, ids []string) (map[string]string, error) {
	input := strings.Join(ids, "\n") + "\n"
	sizes, end, err := r.fed(ctx, strings.NewReader(input), "cat-file", "--batch-check")
	if err == nil && end.failed != nil {
		err = end.failed
	}
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(sizes) { // "id blob size" or "id missing"
		f := strings.Fields(line)
		if len(f) != 3 {
			return nil, &Error{Code: r.rule, Message: "this clone lacks an object of the base: " + strings.TrimSpace(line)}
		}
		if n, err := strconv.ParseInt(f[2], 10, 64); err != nil || n > definitionMax {
			return nil, &Error{Code: r.rule, Message: "a definition of the base is longer than 16 MiB"}
		}
	}
	out, end, err := r.fed(ctx, strings.NewReader(input), "cat-file", "--batch")
	if err == nil && end.failed != nil {
		err = end.failed
	}
	if err != nil {
		return nil, err
	}
	content := make(map[string]string, len(ids))
	for out != "" {
		head, rest, _ := strings.Cut(out, "\n")
		f := strings.Fields(head)
		size := -1
		if len(f) == 3 {
			size, _ = strconv.Atoi(f[2])
		}
		if size < 0 || size+1 > len(rest) {
			return nil, &Error{Code: r.rule, Message: fmt.Sprintf("git cat-file answered %q", head)}
		}
		content[f[0]], out = rest[:size], rest[size+1:]
	}
	return content, nil
}
