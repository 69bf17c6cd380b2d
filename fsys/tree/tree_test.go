package tree

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/pattern/patterntest"
)

// counter counts what a walk asks of the file system, and can refuse directories.
type counter struct {
	fsys.FS
	mu      sync.Mutex
	lists   map[string]int
	lstats  int
	refused map[string]error // List of these fails
}

func count(fs fsys.FS) *counter {
	return &counter{FS: fs, lists: map[string]int{}, refused: map[string]error{}}
}

func (c *counter) List(dir string) ([]fsys.Entry, error) {
	c.mu.Lock()
	c.lists[dir]++
	err := c.refused[dir]
	c.mu.Unlock()
	if err != nil {
		return nil, &os.PathError{Op: "list", Path: dir, Err: err}
	}
	return c.FS.List(dir)
}

func (c *counter) Lstat(name string) (fsys.Info, error) {
	c.mu.Lock()
	c.lstats++
	c.mu.Unlock()
	return c.FS.Lstat(name)
}

// listed is which directories were read, and how often when more than once.
func (c *counter) listed() string {
	var out []string
	for dir, n := range c.lists {
		if n > 1 {
			dir = fmt.Sprintf("%s*%d", dir, n)
		}
		out = append(out, dir)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// makeTree makes things, one a word: "/a/b" a file, "/a/" a directory, "/a->b" a link.
func makeTree(t testing.TB, fs fsys.FS, spec string) {
	t.Helper()
	for _, word := range strings.Fields(spec) {
		name, text, isLink := strings.Cut(word, "->")
		must(t, fs.MkdirAll(path.Dir(strings.TrimSuffix(name, "/")), 0o755))
		switch {
		case isLink:
			must(t, fs.Symlink(text, name))
		case strings.HasSuffix(name, "/"):
			must(t, fs.MkdirAll(strings.TrimSuffix(name, "/"), 0o755))
		default:
			f, err := fs.Create(name)
			must(t, err)
			must(t, f.Close())
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func memory(t testing.TB, spec string) *memfs.FS {
	t.Helper()
	fs := memfs.New()
	makeTree(t, fs, spec)
	return fs
}

// workspace is a tree whose root has a parent, so that links can lead out of it. Paths that begin with "/../" lie outside.
func workspace(t testing.TB, spec string) fsys.FS {
	t.Helper()
	outer := memfs.New()
	must(t, outer.MkdirAll("/ws", 0o755))
	for word := range strings.FieldsSeq(spec) {
		if rest, ok := strings.CutPrefix(word, "/../"); ok {
			makeTree(t, outer, "/"+rest)
		} else {
			makeTree(t, outer, "/ws"+word)
		}
	}
	fs, err := outer.Sub("/ws")
	must(t, err)
	return fs
}

func patterns(t testing.TB, text string) []pattern.Pattern {
	t.Helper()
	var out []pattern.Pattern
	for p := range strings.FieldsSeq(text) {
		if rest, not := strings.CutPrefix(p, "!"); not {
			for i := range out {
				out[i] = out[i].Except([]pattern.Pattern{mustParse(t, rest)})
			}
			continue
		}
		out = append(out, mustParse(t, p))
	}
	return out
}

// show writes matches, one a word: "/a" a file, "/a@text>kind" a link, "!" behind an entered one, "/a/" a directory ("/a/0"
// an empty one), "/a#" a special file, "?" behind a bad name.
func show(found []Match) string {
	var out []string
	for _, m := range found {
		s := m.Path
		switch m.Info.Kind {
		case fsys.Dir:
			s += "/"
			if m.Empty {
				s += "0"
			}
		case fsys.Link:
			s += "@" + m.LinkText
			switch m.Target.Kind {
			case fsys.File:
				s += ">file"
			case fsys.Dir:
				s += ">dir"
			case fsys.Special:
				s += ">special"
			}
			if m.Entered {
				s += "!"
			}
		case fsys.Special:
			s += "#"
		}
		if m.BadName != "" {
			s += "?"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func inputs(t testing.TB, tree *Tree, in, exclude string) string {
	t.Helper()
	found, missing, err := tree.Inputs(context.Background(), patterns(t, in), patterns(t, exclude))
	if err != nil {
		return "error: " + err.Error()
	}
	out := show(found)
	for _, p := range missing {
		out += " missing:" + p.String()
	}
	return strings.TrimSpace(out)
}

func outputs(t testing.TB, tree *Tree, patternsText string) string {
	t.Helper()
	found, err := tree.Outputs(context.Background(), patterns(t, patternsText))
	if err != nil {
		return "error: " + err.Error()
	}
	out := show(found.Matches)
	for _, p := range found.Missing {
		out += " missing:" + p.String()
	}
	for _, h := range found.Hidden {
		out += "\nhidden: " + h
	}
	return strings.TrimSpace(out)
}

// Every row of section 8.3 against a disk with that tree.
func TestInputsTable(t *testing.T) {
	for _, row := range patterntest.Rows {
		fs := memfs.New()
		files := slices.Clone(patterntest.Files)
		for f := range strings.FieldsSeq(row.Extra) {
			files = append(files, patterntest.InProject(f))
		}
		slices.Sort(files)
		var made []string
		for i, f := range files { // a file that is a directory in another row stays out
			if i+1 < len(files) && slices.ContainsFunc(files[i+1:], func(g string) bool { return strings.HasPrefix(g, f+"/") }) {
				continue
			}
			must(t, fs.MkdirAll(path.Dir(f), 0o755))
			h, err := fs.Create(f)
			must(t, err)
			must(t, h.Close())
			made = append(made, f)
		}
		p := mustParse(t, row.Pattern).Anchor("/p")
		var want, got []string
		for _, f := range made {
			if p.Match(f) {
				want = append(want, f)
			}
		}
		found, missing, err := New(fs).Inputs(t.Context(), []pattern.Pattern{p}, nil)
		must(t, err)
		for _, m := range found {
			if m.Info.Kind != fsys.Dir || m.Empty {
				got = append(got, m.Path)
			}
		}
		if !slices.Equal(got, slices.Compact(want)) || (len(missing) > 0) != (p.IsLiteral() && len(want) == 0) {
			t.Errorf("%q: got %q, want %q, missing %v", row.Pattern, got, want, missing)
		}
	}
}

// Section 8.4 and chapter 2, 5.3: what becomes of what an input pattern meets.
func TestInputsOnDisk(t *testing.T) {
	for _, c := range []struct{ name, tree, in, exclude, want string }{
		{"literal file", "/p/a", "/p/a", "", "/p/a"},
		{"literal missing", "/p/", "/p/a", "", "missing:/p/a"},
		{"literal in no directory", "/p/", "/q/a /p/x/y", "", "missing:/q/a missing:/p/x/y"},
		{"literal below a file", "/p/a", "/p/a/b", "", "missing:/p/a/b"},
		{"literal directory", "/p/a/b /p/a/c/ /p/a/d/e /p/ab", "/p/a", "", "/p/a/ /p/a/b /p/a/c/0 /p/a/d/e"},
		{"literal directory, empty", "/p/a/", "/p/a /p/a/", "", "/p/a/0"},
		{"literal directory, less what is excluded", "/p/a/b /p/a/c/d /p/a/x.o", "/p/a", "/p/a/c /p/**/*.o", "/p/a/ /p/a/b"},
		{"literal directory with a repository", "/p/a/.git/HEAD /p/a/b", "/p/a", "", "/p/a/ /p/a/b"},
		{"literal link to a directory", "/p/l->../q /q/a", "/p/l", "", "/p/l@../q>dir! /p/l/a"},
		{"literal directory and a glob in it", "/p/a/b /p/a/c", "/p/a/b /p/a /p/a/*", "", "/p/a/ /p/a/b /p/a/c"},
		{"folder", "/p/a/b /p/a/c/ /p/x", "/p/a/", "", "/p/a/ /p/a/b /p/a/c/0"},
		{"taken away", "/p/a/b /p/a/c/d /p/a/e.o", "/p/** !/p/a/c/ !/p/**/*.o", "", "/p/a/b"},
		{"taken away, and listed again", "/p/a/b /p/a/c/d /p/a/c/e", "/p/** !/p/a/c/** /p/a/c/e", "", "/p/a/b /p/a/c/e"},
		{"taken away from a folder", "/p/a/b /p/a/c/d", "/p/a !/p/a/c", "", "/p/a/ /p/a/b"},
		{"taken away, and excluded", "/p/a /p/b /p/c", "/p/* !/p/a", "/p/b", "/p/c"},
		{"folder missing", "/p/", "/p/a/", "", "missing:/p/a/"},
		{"folder that is a file", "/p/a", "/p/a/", "", "/p/a"},
		{"folder through a link", "/p/l->../q /q/a", "/p/l/", "", "/p/l@../q>dir! /p/l/a"},
		{"folders below those of a glob", "/p/a/ /p/b/c/", "/p/{a,b}/**/ /p/{a/**,x}/", "", "/p/b/c/0"},
		{"folders of a glob", "/p/a/d/x /p/b/d/ /p/c/d /p/d/y", "/p/*/d/", "", "/p/a/d/x /p/b/d/0"},
		{"folders of a glob, some excluded", "/p/a/d/x /p/b/d/ /p/c/d/", "/p/*/d/", "/p/b/d", "/p/a/d/x /p/c/d/0"},
		{"literal link", "/p/a /p/l->a", "/p/l", "", "/p/l@a>file"},
		{"literal link to nothing", "/p/l->x", "/p/l", "", "/p/l@x"},
		{"literal link in a circle", "/p/l->m /p/m->l", "/p/l", "", "/p/l@m"},
		{"literal behind a link", "/p/d/a /p/l->d", "/p/l/a", "", "/p/l/a"},
		{"no match", "/p/a", "/p/*.c /q/** /p/a/*", "", ""},
		{"twice", "/p/a.c", "/p/*.c /p/a.c /p/**", "", "/p/a.c"},
		{"empty directories", "/p/e/ /p/f/g/ /p/h/x", "/p/**", "", "/p/e/0 /p/f/g/0 /p/h/x"},
		{"empty directories of one level", "/p/e/ /p/f/g/", "/p/*", "", "/p/e/0"},
		{"not the empty directory itself", "/p/", "/p/**", "", ""},
		{"link to a file", "/p/a /p/l->a", "/p/*", "", "/p/a /p/l@a>file"},
		{"link to nothing", "/p/l->x /p/m->m", "/p/*", "", "/p/l@x /p/m@m"},
		{"link to nothing that does not match", "/p/a.c /p/l->x /p/m->m", "/p/*.c", "", "/p/a.c"},
		{"trouble off the path", "/p/a.c /p/d/l->l", "/p/**/*.c", "", "/p/a.c"},
		{"link to a directory", "/p/d/a /p/l->d", "/p/**", "", "/p/d/a /p/l@d>dir!"},
		{"link to a directory elsewhere", "/p/l->../q /q/a", "/p/**", "", "/p/l@../q>dir! /p/l/a"},
		{"link that cannot be entered", "/p/l->../q /q/a", "/p/*", "", "/p/l@../q>dir!"},
		{"link out of the workspace", "/p/l->../../x /../x/a", "/p/**", "", "/p/l@../../x>dir! /p/l/a"},
		{"prefix through a link", "/p/l->../q /q/a.c /q/b/c", "/p/l/*.c", "", "/p/l@../q>dir! /p/l/a.c"},
		{"prefix through two links", "/p/l->../q /q/m->../r /r/a.c", "/p/l/m/*.c", "", "/p/l@../q>dir! /p/l/m@../r>dir! /p/l/m/a.c"},
		{"prefix through a link to nothing", "/p/l->x", "/p/l/*.c", "", ""},
		{"prefix through a link to itself", "/p/s->. /p/a.c", "/p/s/*.c", "", "/p/s@.>dir! /p/s/a.c"},
		{"prefix through a link to above", "/p/b/up->.. /p/b/x", "/p/b/up/**", "", "/p/b/up@..>dir! /p/b/up/b/up@..>dir! /p/b/up/b/x"},
		{"link to above", "/p/s/a /p/s/up->.. /p/o", "/p/s/**", "", "/p/s/a /p/s/up@..>dir!"},
		{"link to itself", "/p/a /p/s->.", "/p/**", "", "/p/a /p/s@.>dir!"},
		{"entered once", "/p/m->../q /p/l->../q /q/a", "/p/**", "", "/p/l@../q>dir! /p/l/a /p/m@../q>dir!"},
		{"first link in order of its path", "/p/a/z->../../q /p/b->../q /q/x", "/p/**", "", "/p/a/z@../../q>dir! /p/a/z/x /p/b@../q>dir!"},
		{"order of whole paths", "/p/a-b->../q /p/a/z->../../q /q/x", "/p/**", "", "/p/a-b@../q>dir! /p/a-b/x /p/a/z@../../q>dir!"},
		{"real directories first", "/p/a->z /p/z/x", "/p/**", "", "/p/a@z>dir! /p/z/x"},
		{"links found in links", "/p/a->../q /q/l->../r /r/x", "/p/**", "", "/p/a@../q>dir! /p/a/l@../r>dir! /p/a/l/x"},
		{"real directory behind a link that another link entered", "/p/a->../q/d /p/b->../q /q/d/x /q/y", "/p/**", "",
			"/p/a@../q/d>dir! /p/a/x /p/b@../q>dir! /p/b/y"},
		{"one walk a pattern", "/p/l->../q /p/m->../q /q/a", "/p/l/** /p/m/**", "", "/p/l@../q>dir! /p/l/a /p/m@../q>dir! /p/m/a"},
		{"haz's own", "/.haz/cache/x /.haz/state/y /.haz/z /p/.haz-restore-1 /p/.haz-restore-d/x /p/a", "/**", "", "/.haz/z /p/a"},
		{"haz's own alone", "/.haz/cache/x", "/** /*", "", ""},
		{"haz's own as literals", "/.haz/cache/x /.haz-restore-1", "/.haz/cache/x /.haz-restore-1", "", "missing:/.haz/cache/x missing:/.haz-restore-1"},
		{"haz's own as prefix", "/.haz/cache/x", "/.haz/cache/** /.haz/c*/x", "", ""},
		{"a directory with a restore is empty", "/p/e/.haz-restore-1", "/p/**", "", "/p/e/0"},
		{"link to the cache", "/.haz/cache/a/x /p/l->../.haz/cache /p/m->../.haz/cache/a", "/p/** /p/l/* /p/m/*", "", ""},
		{"link to above the cache", "/.haz/cache/x /.haz/z /p/l->../.haz", "/p/**", "", "/p/l@../.haz>dir! /p/l/z"},
		{"cache behind a link", "/.haz/cache->../big/store /big/store/x /big/y", "/**", "", "/big/y"},
		{"cache behind a link, by its own name", "/.haz/cache->../big/store /big/store/x", "/big/store/x /big/store/* /big/s*/*", "", "missing:/big/store/x"},
		{"cache outside, by a link", "/.haz/cache->../../out/c /../out/c/x /../out/y /p/l->../../out", "/p/**", "", "/p/l@../../out>dir! /p/l/y"},
		{"git", "/p/.git/x /p/s/.git /p/a", "/p/**", "", "/p/a"},
		{"git spelled", "/p/.git/x /p/s/.git", "/p/.git/* /p/*/.git", "", "/p/.git/x /p/s/.git"},
		{"bad names", "/p/a\u200b /p/b\xff /p/c", "/p/*", "", "/p/a\u200b? /p/b\xff? /p/c"},
		{"bad directory", "/p/b\xff/c", "/p/**/c", "", "/p/b\xff/c?"},
		{"exclude", "/p/a.c /p/b.c /p/d/b.c", "/p/**/*.c", "/p/**/b.c", "/p/a.c"},
		{"exclude a directory", "/p/d/a /p/e/ /p/f", "/p/**", "/p/d /p/e/", "/p/f"},
		{"exclude all in a directory", "/p/d/a /p/x", "/p/**", "/p/d/**", "/p/x"},
		{"exclude all in an empty directory", "/p/d/ /p/x", "/p/**", "/p/d/**", "/p/x"},
		{"exclude a link", "/p/l->../q /q/a /p/x", "/p/**", "/p/l", "/p/x"},
		{"exclude behind a link", "/p/l->../q /q/a", "/p/** /p/l/*", "/p/l/**", ""},
		{"exclude a link to nothing", "/p/l->x", "/p/*", "/p/l", ""},
		{"exclude everything", "/p/a", "/p/**", "/**", ""},
		{"exclude leaves literals", "/p/a /p/b", "/p/a /p/*", "/p/*", "/p/a"},
		{"names looked up", "/p/a/src/x.c /p/b/src->../a/src /p/c/src", "/p/*/src/x.c", "", "/p/a/src/x.c /p/b/src@../a/src>dir!"},
		{"alternatives", "/p/a/x /p/b/c/x /p/d/x", "/p/{a,b/c}/*", "", "/p/a/x /p/b/c/x"},
	} {
		tree := New(workspace(t, c.tree))
		for round := range 2 { // the second from what the tree remembers
			if got := inputs(t, tree, c.in, c.exclude); got != c.want {
				t.Errorf("%s, round %d: %s, inputs %s, exclude %s\n got %q\nwant %q", c.name, round, c.tree, c.in, c.exclude, got, c.want)
			}
		}
	}
}

// Section 8.4 and chapter 2, 4.6: what becomes of what an output pattern meets.
func TestOutputsOnDisk(t *testing.T) {
	for _, c := range []struct{ name, tree, out, want string }{
		{"literal", "/p/a", "/p/a", "/p/a"},
		{"literal missing", "/p/a", "/p/b /p/c/d /p/a/x", "missing:/p/b missing:/p/c/d missing:/p/a/x"},
		{"literal directory", "/p/d/x /p/d/e/ /p/dx", "/p/d", "/p/d/e/0 /p/d/x"},
		{"folder", "/p/d/x /p/d/e/ /p/dx", "/p/d/", "/p/d/e/0 /p/d/x"},
		{"folder missing", "/p/", "/p/d/", "missing:/p/d/"},
		{"taken away", "/p/d/x /p/d/cache/y /p/d/e/", "/p/d/ !/p/d/cache/**", "/p/d/e/0 /p/d/x"},
		{"taken away, not looked into", "/p/d/x /p/d/cache/l->../.. /p/q/y", "/p/d/** !/p/d/cache/**", "/p/d/x"},
		{"taken away, and listed again", "/p/d/x /p/d/cache/y /p/d/cache/z", "/p/d/** !/p/d/cache/** /p/d/cache/z", "/p/d/cache/z /p/d/x"},
		{"folder that is a file", "/p/d", "/p/d/", "missing:/p/d/"},
		{"folder through a link", "/p/l->d /p/d/x", "/p/l/", "/p/l/x"},
		{"folder out of the workspace", "/p/l->../../x /../x/a", "/p/l/", "hidden: `/p/l` leads out of the workspace"},
		{"folders of a glob", "/p/a/d/x /p/b/d/ /p/c/d", "/p/*/d/", "/p/a/d/x /p/b/d/0"},
		{"literal link", "/p/l->x /p/m->a /p/a", "/p/l /p/m", "/p/l@x /p/m@a>file"},
		{"literal link to a directory", "/p/l->d /p/d/x", "/p/l", "/p/l@d>dir"},
		{"glob", "/p/o/a /p/o/b/c /p/x", "/p/o/**", "/p/o/a /p/o/b/c"},
		{"glob without directory", "/p/", "/p/o/** /p/*.o", ""},
		{"empty directories", "/p/o/e/ /p/o/f/x", "/p/o/*", "/p/o/e/0"},
		{"links stay links", "/p/o/l->x /p/o/m->../d /p/d/y /p/o/n->n", "/p/o/**", "/p/o/l@x /p/o/m@../d>dir /p/o/n@n"},
		{"links that do not match", "/p/o/l->x /p/o/n->n /p/o/f->a.o /p/o/a.o", "/p/o/**/*.o", "/p/o/a.o"},
		{"deeper link that could hide a match", "/p/o/l->../d /p/d/y.o", "/p/o/*/*.o",
			"hidden: `/p/o/l` is a link to a directory, and a path below it could match `/p/o/*/*.o`"},
		{"deeper link to nowhere near", "/p/o/l->../d /p/d/y.o", "/p/o/x*/*.o", ""},
		{"deeper link that matches itself", "/p/o/l->../d /p/d/y.o", "/p/o/**", "/p/o/l@../d>dir"},
		{"link out that matches itself", "/p/o/l->../../../x /../x/y", "/p/o/*", "/p/o/l@../../../x>dir"},
		{"prefix through a link", "/p/o->../build /build/a.o", "/p/o/*.o /p/o/a.o", "/p/o/a.o"},
		{"literal through a link", "/p/o->../build /build/a.o", "/p/o/a.o /p/o/b.o", "/p/o/a.o missing:/p/o/b.o"},
		{"prefix through a link to nothing", "/p/o->x", "/p/o/* /p/o/a", "missing:/p/o/a"},
		{"prefix through a circle", "/p/o->o", "/p/o/* /p/o/a", "missing:/p/o/a"},
		{"prefix is a file", "/p/o", "/p/o/* /p/o/a", "missing:/p/o/a"},
		{"prefix leads out", "/p/o->../../x /../x/a", "/p/o/*", "hidden: `/p/o` leads out of the workspace"},
		{"literal leads out", "/p/o->../../x /../x/a", "/p/o/a", "hidden: `/p/o` leads out of the workspace"},
		{"literal leads out to nothing", "/p/o->../../x /../x/a", "/p/o/b", "missing:/p/o/b\nhidden: `/p/o` leads out of the workspace"},
		{"prefix leads out and back", "/p/o->../../y/ws2 /../y/ws2->../ws/q /q/a", "/p/o/*", "/p/o/a"},
		{"second link leads out", "/p/o->../q /q/r->../../x /../x/a", "/p/o/r/*", "hidden: `/p/o/r` leads out of the workspace"},
		{"prefix leads into haz's folder", "/p/o->../.haz/tasks /.haz/tasks/a", "/p/o/*", "hidden: `/p/o` leads into `/.haz`"},
		{"prefix leads into the cache", "/p/o->../.haz/cache /.haz/cache/a", "/p/o/* /p/o/a", "missing:/p/o/a"},
		{"prefix leads above the cache", "/p/o->.. /.haz/cache/a /.haz-restore-1", "/p/o/.haz/c*/* /p/o/.haz-* /p/o/.haz/cache/a", "hidden: `/p/o/.haz` leads into `/.haz`"},
		{"cache behind a link", "/.haz/cache->../big /big/a /b/x", "/b*/** /big/a", "/b/x missing:/big/a"},
		{"haz's own", "/p/.haz-restore-1 /p/a/.haz-restore-x/b /p/c", "/p/** /p/.haz-restore-1", "/p/a/0 /p/c missing:/p/.haz-restore-1"},
		{"git", "/p/.git/x /p/a", "/p/**", "/p/a"},
		{"bad names", "/p/b\xff/c /p/\u00adx /p/d", "/p/**", "/p/b\xff/c? /p/d /p/\u00adx?"},
		{"first pattern counts", "/p/a", "/p/* /p/a", "/p/a"},
	} {
		tree := New(workspace(t, c.tree))
		for round := range 2 {
			if got := outputs(t, tree, c.out); got != c.want {
				t.Errorf("%s, round %d: %s, outputs %s\n got %q\nwant %q", c.name, round, c.tree, c.out, got, c.want)
			}
		}
	}
}

// The pattern that matched first, and literals, are told.
func TestMatchTellsPattern(t *testing.T) {
	tree := New(memory(t, "/p/a /p/b"))
	found, _, err := tree.Inputs(t.Context(), patterns(t, "/p/b /p/* /p/a"), nil)
	must(t, err)
	if len(found) != 2 || found[0].Pattern != 1 || !found[0].Literal || found[1].Pattern != 0 || !found[1].Literal {
		t.Errorf("inputs: %+v", found)
	}
	out, err := tree.Outputs(t.Context(), patterns(t, "/p/a* /p/a /p/b"))
	must(t, err)
	if f := out.Matches; len(f) != 2 || f[0].Pattern != 0 || !f[0].Literal || f[1].Pattern != 2 || !f[1].Literal {
		t.Errorf("outputs: %+v", f)
	}
}

// Chapter 1, 2.2.
func TestDirectories(t *testing.T) {
	for _, c := range []struct{ name, tree, entry, want string }{
		{"glob", "/libs/a/haz.yml /libs/.hid/haz.yml /libs/f /app/", "/libs/*", "/libs/.hid /libs/a"},
		{"no match", "/libs/f", "/libs/* ", ""},
		{"no directory", "/app/", "/libs/*", ""},
		{"levels", "/libs/a/b/c/d", "/libs/*/*", "/libs/a/b"},
		{"all levels", "/libs/a/b/c/d", "/libs/**", "/libs/a /libs/a/b /libs/a/b/c"},
		{"not the root, not .haz, not .git", "/.haz/tasks/ /.git/x/ /a/.git/y/ /a/.haz/", "/**", "/a /a/.haz"},
		{"one level", "/.haz/tasks/ /.git/ /a/b/", "/*", "/a"},
		{"in .haz", "/.haz/tasks/x/", "/.haz/*", ""},
		{"in .haz, deeper", "/.haz/tasks/x/", "/*/tasks", ""},
		{"links add nothing", "/libs/a/ /libs/l->../other /other/x/ /libs/m->a", "/libs/*", "/libs/a"},
		{"links into the pattern", "/libs/a/ /libs/x->a/b /libs/a/b/", "/libs/*/*", "/libs/a/b"},
		{"circles", "/libs/a/up->.. /libs/b->b", "/libs/**", "/libs/a"},
		{"prefix through a link", "/l->libs /libs/a/", "/l/*", ""},
		{"link out that matches", "/libs/a/ /libs/l->../../x /../x/y", "/libs/*", "/libs/a error: `/libs/l` leads out of the workspace"},
		{"link out that does not match", "/libs/a/ /libs/l->../../x /../x/y/", "/libs/*/*", ""},
		{"link out to a file", "/libs/a/ /libs/l->../../x /../x", "/libs/*", "/libs/a"},
		{"link out and back", "/libs/a/ /libs/l->../../x/b /../x/b->../ws/libs/a", "/libs/*", "/libs/a"},
		{"prefix leads out", "/l->../x /../x/a/", "/l/*", "error: `/l` leads out of the workspace"},
		{"bad names", "/libs/b\xff/ /libs/c\u200b/ /libs/a/", "/libs/*",
			"/libs/a error: `/libs/b\xff` has a name that no project may have: byte 0xFF at position 2 of segment 2 is not UTF-8\n" +
				"`/libs/c\u200b` has a name that no project may have: U+200B in segment 2 is a format character, which no path may hold"},
		{"bad names that do not match", "/libs/b\xff/ /libs/a/", "/libs/a*", "/libs/a"},
		{"alternatives", "/a/x/ /b/y/x/ /c/x/", "/{a,b/y}/x", "/a/x /b/y/x"},
		{"literal", "/a/b/", "/a/b", "/a/b"},
		{"literal link", "/a/b->../c /c/", "/a/b", "/c"},
		{"literal missing", "/a/", "/a/b", "error: `/a/b` does not exist"},
		{"literal link to nothing", "/a->x", "/a", "error: `/a` is a link to nothing"},
		{"literal file", "/a", "/a", "error: `/a` is a regular file, not a directory"},
		{"literal link to the root", "/a->.", "/a", "error: `/a` leads to the root of the workspace, which cannot be a project"},
		{"literal out", "/a->../x /../x/b/", "/a/b", "error: `/a` leads out of the workspace"},
		{"literal in the cache", "/.haz/cache/x/", "/.haz/cache/x", "error: `/.haz/cache/x` belongs to haz"},
		{"literal link to the cache", "/.haz/cache/x/ /a->.haz/cache", "/a", "error: `/a` leads to a directory that belongs to haz"},
	} {
		tree := New(workspace(t, c.tree))
		dirs, err := tree.Directories(t.Context(), mustParse(t, strings.TrimSpace(c.entry)))
		got := strings.Join(dirs, " ")
		if err != nil {
			got = strings.TrimSpace(got + " error: " + err.Error())
		}
		if got != c.want {
			t.Errorf("%s: %s, entry %s\n got %q\nwant %q", c.name, c.tree, c.entry, got, c.want)
		}
	}
}

// The loader needs rule, entry, path and the text of the link (DISC-022).
func TestDirectoryError(t *testing.T) {
	tree := New(workspace(t, "/libs/l->../../x /../x/y"))
	p := mustParse(t, "/libs/*")
	_, err := tree.Directories(t.Context(), p)
	var e *DirectoryError
	var pe *os.PathError
	if !errors.As(err, &e) || e.Rule != "DISC-022" || e.Entry != p || e.Path != "/libs/l" || e.Link != "../../x" || !errors.Is(err, fsys.ErrOutside) ||
		!errors.As(err, &pe) || pe.Path != "/libs/l" {
		t.Errorf("%#v", err)
	}
}

// A directory that cannot be read and may hold a match: an error for inputs and projects, a reason not to store for
// outputs. Elsewhere it is nobody's business.
func TestUnreadable(t *testing.T) {
	c := count(memory(t, "/p/src/x/a.c /p/src/b.c /p/z/q"))
	c.refused["/p/src/x"] = syscall.EACCES
	tree := New(c)
	if got := inputs(t, tree, "/p/src/**", ""); got != "error: `/p/src/x` cannot be read: permission denied" {
		t.Error(got)
	}
	_, _, err := tree.Inputs(t.Context(), patterns(t, "/p/src/**"), nil)
	var w *WalkError
	if !errors.As(err, &w) || w.Path != "/p/src/x" || !errors.Is(err, os.ErrPermission) {
		t.Errorf("%#v", err)
	}
	if got := inputs(t, tree, "/p/src/*.c /p/z/*", ""); got != "/p/src/b.c /p/z/q" {
		t.Error(got)
	}
	if got := inputs(t, tree, "/p/src/**", "/p/src/x/**"); got != "/p/src/b.c" {
		t.Error(got)
	}
	if got := outputs(t, tree, "/p/src/**"); got != "/p/src/b.c\nhidden: `/p/src/x` cannot be read: permission denied" {
		t.Error(got)
	}
	dirs, err := tree.Directories(t.Context(), mustParse(t, "/p/**"))
	if strings.Join(dirs, " ") != "/p/src /p/src/x /p/z" || !errors.As(err, &w) || w.Path != "/p/src/x" {
		t.Errorf("%q, %v", dirs, err)
	}
	delete(c.refused, "/p/src/x") // an error is not remembered
	if got := inputs(t, tree, "/p/src/**", ""); got != "/p/src/b.c /p/src/x/a.c" {
		t.Error(got)
	}
}

// On the real disk, with what memory lacks: FIFOs, permissions, names of the system.
func TestRealDisk(t *testing.T) {
	root := t.TempDir()
	fs, err := fsys.Host(root)
	must(t, err)
	defer fs.Close()
	makeTree(t, fs, "/p/a /p/d/x /p/l->../q /q/y /p/circle->circle /p/up->.. /p/e/ /p/b\xff /locked/f")
	must(t, syscall.Mkfifo(root+"/p/fifo", 0o644))
	must(t, fs.Symlink("fifo", "/p/tofifo"))
	tree := New(fs)
	if got, want := inputs(t, tree, "/p/**", ""), "/p/a /p/b\xff? /p/circle@circle /p/d/x /p/e/0 /p/l@../q>dir! /p/l/y /p/up@..>dir!"; got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if got, want := inputs(t, tree, "/p/fifo /p/tofifo /p/circle", ""), "/p/circle@circle /p/fifo# /p/tofifo@fifo>special"; got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if got, want := outputs(t, tree, "/p/* /p/fifo"), "/p/a /p/b\xff? /p/circle@circle /p/e/0 /p/fifo# /p/l@../q>dir /p/tofifo@fifo>special /p/up@..>dir"; got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if os.Geteuid() == 0 {
		return // root reads everything
	}
	must(t, os.Chmod(root+"/locked", 0))
	defer os.Chmod(root+"/locked", 0o755)
	if got := inputs(t, tree, "/locked/*", ""); got != "error: `/locked` cannot be read: permission denied" {
		t.Error(got)
	}
	if got := outputs(t, tree, "/locked/* /locked/f"); !strings.HasPrefix(got, "hidden: `/locked") {
		t.Error(got)
	}
}

func TestCancelledWalks(t *testing.T) {
	tree := New(memory(t, "/p/a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := tree.Inputs(ctx, patterns(t, "/p/*"), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := tree.Outputs(ctx, patterns(t, "/p/*")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := tree.Directories(ctx, mustParse(t, "/*")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func mustParse(t testing.TB, text string) pattern.Pattern {
	t.Helper()
	p, err := pattern.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%.60q): %v", text, err)
	}
	return p
}
