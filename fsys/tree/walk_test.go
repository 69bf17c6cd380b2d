package tree

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/pattern/patterntest"
)

var treeNames = []string{"a", "b", "ab", "aa", "a.", "é", "\xff", ".git", ".haz", "cache", ".haz-restore-1"}

// randomPath is a path of few short names.
func randomPath(t *rapid.T) string {
	var b strings.Builder
	for range rapid.IntRange(1, 4).Draw(t, "depth") {
		b.WriteString("/" + rapid.SampledFrom(treeNames).Draw(t, "name"))
	}
	return b.String()
}

// randomTree makes files and directories, and links too when texts are given for them. What the tree has no room for is
// left out.
func randomTree(t *rapid.T, fs fsys.FS, links []string) {
	for range rapid.IntRange(0, 25).Draw(t, "things") {
		name := randomPath(t)
		if fs.MkdirAll(path.Dir(name), 0o755) != nil {
			continue
		}
		switch kind := rapid.IntRange(0, 3).Draw(t, "kind"); {
		case kind == 0:
			_ = fs.MkdirAll(name, 0o755)
		case kind == 1 && links != nil:
			_ = fs.Symlink(rapid.SampledFrom(links).Draw(t, "text"), name)
		default:
			if _, err := fs.Lstat(name); err != nil {
				f, err := fs.Create(name)
				if err == nil {
					_ = f.Close()
				}
			}
		}
	}
}

// everything lists all paths of a tree without following links.
func everything(t *rapid.T, fs fsys.FS, dir string) []string {
	entries, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		name := child(dir, e.Name)
		out = append(out, name)
		if e.Kind == fsys.Dir {
			out = append(out, everything(t, fs, name)...)
		}
	}
	return out
}

func randomPattern(t *rapid.T) (pattern.Pattern, bool) {
	p, err := pattern.Parse(patterntest.Text(true).Draw(t, "pattern"))
	return p, err == nil
}

// selects is Match for what lies there: a glob with a slash at its end names folders only.
func selects(p pattern.Pattern, name string, isDir bool) bool {
	if !p.IsFolder() || p.IsLiteral() || isDir {
		return p.Match(name)
	}
	below, err := pattern.Parse(strings.TrimSuffix(p.String(), "/") + "/**")
	return err == nil && below.Match(name)
}

// isEmptyDir is a directory that has nothing but what is invisible.
func isEmptyDir(fs fsys.FS, name string) bool {
	entries, err := fs.List(name)
	return err == nil && name != "/.haz" && !slices.ContainsFunc(entries, func(e fsys.Entry) bool { return !pattern.Invisible(child(name, e.Name)) })
}

// Without links, a walk finds what Match says of all paths, and so do both walks, with any exclude.
func TestWalkIsMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fs := memfs.New()
		randomTree(t, fs, nil)
		all := everything(t, fs, "/")
		tree := New(fs)
		for range 5 {
			p, ok := randomPattern(t)
			if !ok {
				continue
			}
			var exclude []pattern.Pattern
			if e, ok := randomPattern(t); ok && rapid.Bool().Draw(t, "exclude") {
				exclude = append(exclude, e)
			}
			taken := func(name string) bool {
				for _, e := range exclude {
					if e.Match(name) || e.CoversAllBelow(name) {
						return true
					}
					for dir := pattern.Parent(name); ; dir = pattern.Parent(dir) {
						if e.CoversAllBelow(dir) {
							return true
						}
						if dir == "/" {
							break
						}
					}
				}
				return false
			}
			var wantIn, wantOut, wantDirs, gotIn, gotOut []string
			for _, name := range all {
				info, err := fs.Lstat(name)
				if err != nil {
					t.Fatal(err)
				}
				isDir := info.Kind == fsys.Dir
				if !selects(p, name, isDir) {
					continue
				}
				if isDir && !pattern.IsOrBelow(name, "/.haz") && pattern.CheckPath(name) == nil {
					wantDirs = append(wantDirs, name)
				}
				itself := p.IsLiteral() && name == p.Path()
				if isDir && !itself && !isEmptyDir(fs, name) {
					continue
				}
				if !itself || !isDir && !p.IsFolder() {
					wantOut = append(wantOut, name)
				}
				if itself || !taken(name) || !isDir && !slices.ContainsFunc(exclude, func(e pattern.Pattern) bool { return e.Match(name) || coveredAbove(e, name) }) {
					wantIn = append(wantIn, name)
				}
			}
			in, _, err := tree.Inputs(t.Context(), []pattern.Pattern{p}, exclude)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range in {
				gotIn = append(gotIn, m.Path)
				if (m.BadName != "") != (pattern.CheckPath(m.Path) != nil) {
					t.Fatalf("%q: bad name %q", m.Path, m.BadName)
				}
			}
			out, err := tree.Outputs(t.Context(), []pattern.Pattern{p})
			if err != nil || len(out.Hidden) > 0 {
				t.Fatal(err, out.Hidden)
			}
			for _, m := range out.Matches {
				gotOut = append(gotOut, m.Path)
			}
			slices.Sort(wantIn)
			slices.Sort(wantOut)
			slices.Sort(wantDirs)
			if !slices.Equal(gotIn, wantIn) {
				t.Fatalf("inputs of %q without %q:\n got %q\nwant %q\nof %q", p, exclude, gotIn, wantIn, all)
			}
			if !slices.Equal(gotOut, wantOut) {
				t.Fatalf("outputs of %q:\n got %q\nwant %q\nof %q", p, gotOut, wantOut, all)
			}
			if !p.IsLiteral() && !p.IsFolder() { // no entry of a project list has a slash at its end
				dirs, _ := tree.Directories(t.Context(), p)
				if !slices.Equal(dirs, wantDirs) {
					t.Fatalf("directories of %q:\n got %q\nwant %q\nof %q", p, dirs, wantDirs, all)
				}
			}
		}
	})
}

// coveredAbove reports whether the pattern covers a directory above name.
func coveredAbove(e pattern.Pattern, name string) bool {
	for dir := pattern.Parent(name); ; dir = pattern.Parent(dir) {
		if e.CoversAllBelow(dir) || dir == "/" {
			return e.CoversAllBelow(dir)
		}
	}
}

// oracleWalk follows chapter 2, 5.3 in the most direct way, for a glob: a round of real directories, then the first
// remaining link, and again. It returns files and links; where directories of the fixed prefix are links it is not asked.
func oracleWalk(fs fsys.FS, p pattern.Pattern) []string {
	entered := map[identity]bool{}
	var out, links []string
	start := p.FixedPrefix()
	if info, err := fs.Lstat(start); err != nil || info.Kind != fsys.Dir || pattern.Invisible(start) {
		return nil
	}
	for dir := start; ; dir = pattern.Parent(dir) {
		if info, err := fs.Lstat(dir); err == nil && dir != start {
			entered[identityOf(info)] = true
		}
		if dir == "/" {
			break
		}
	}
	cache := map[identity]bool{}
	var own []string
	hidden := func(name string) bool {
		return pattern.Invisible(name) || slices.ContainsFunc(own, func(dir string) bool { return pattern.IsOrBelow(name, dir) })
	}
	for _, dir := range []string{layout.CacheDir, layout.StateDir} {
		info, err := fs.StatInfo(dir)
		if real, _ := fs.RealPath(dir); err == nil && real != "/" && real != "/.haz" {
			cache[identityOf(info)] = true
			own = append(own, real)
		}
	}
	var enter func(dir string)
	enter = func(dir string) {
		info, err := fs.StatInfo(dir)
		if err != nil || cache[identityOf(info)] {
			return
		}
		if real, err := fs.RealPath(dir); err == nil && hidden(real) {
			return
		}
		if l, err := fs.Lstat(dir); err == nil && l.Kind == fsys.Link {
			out = append(out, dir)
		}
		if entered[identityOf(info)] {
			return
		}
		entered[identityOf(info)] = true
		entries, err := fs.List(dir)
		if err != nil {
			return
		}
		for _, e := range entries {
			name := child(dir, e.Name)
			if real, err := fs.RealPath(dir); hidden(name) || err == nil && hidden(child(real, e.Name)) {
				continue
			}
			target, err := fs.StatInfo(name)
			isDir := err == nil && target.Kind == fsys.Dir
			switch {
			case !isDir:
				if selects(p, name, false) {
					out = append(out, name)
				}
			case !p.MayMatchBelow(name):
				if real, err := fs.RealPath(name); e.Kind == fsys.Link && p.Match(name) && !cache[identityOf(target)] && !(err == nil && hidden(real)) {
					out = append(out, name)
				}
			case e.Kind == fsys.Dir:
				enter(name)
			default:
				links = append(links, name)
			}
		}
	}
	enter(start)
	for len(links) > 0 {
		slices.Sort(links)
		next := links[0]
		links = links[1:]
		enter(next)
	}
	slices.Sort(out)
	return out
}

// With links that lead anywhere, walks end, agree with the oracle, and never tell a path that does not match.
func TestWalkWithLinks(t *testing.T) {
	texts := []string{".", "..", "../..", "/", "/a", "/b/a", "a", "b", "../a", "../b", "nothing", "/.haz", "/.haz/cache", "../.git", "a/b"}
	rapid.Check(t, func(t *rapid.T) {
		fs := memfs.New()
		randomTree(t, fs, texts)
		tree := New(fs)
		for range 5 {
			p, ok := randomPattern(t)
			if !ok {
				continue
			}
			found, missing, err := tree.Inputs(t.Context(), []pattern.Pattern{p}, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range found {
				if !m.Entered && !p.Match(m.Path) {
					t.Fatalf("%q does not match %q", p, m.Path)
				}
				if m.Info.Kind != fsys.Dir {
					got = append(got, m.Path)
				}
			}
			if real, err := fs.RealPath(p.FixedPrefix()); !p.IsLiteral() && (err != nil || real == p.FixedPrefix()) {
				if want := oracleWalk(fs, p); !slices.Equal(got, want) {
					t.Fatalf("inputs of %q:\n got %q\nwant %q\nof %q", p, got, want, everything(t, fs, "/"))
				}
			}
			if again, _, err := New(fs).Inputs(t.Context(), []pattern.Pattern{p}, nil); err != nil || !slices.Equal(again, found) {
				t.Fatalf("inputs of %q change: %v, %+v, %+v", p, err, found, again)
			}
			if len(missing) > 1 {
				t.Fatal(missing)
			}
			out, err := tree.Outputs(t.Context(), []pattern.Pattern{p})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range out.Matches {
				if !p.Match(m.Path) {
					t.Fatalf("%q does not match output %q", p, m.Path)
				}
				for dir := pattern.Parent(m.Path); dir != "/"; dir = pattern.Parent(dir) {
					info, err := fs.Lstat(dir)
					if err == nil && info.Kind == fsys.Link && !pattern.IsOrBelow(p.FixedPrefix(), dir) {
						t.Fatalf("output %q of %q lies behind the link %q", m.Path, p, dir)
					}
				}
			}
			if _, err := tree.Directories(t.Context(), p); err != nil && !p.IsLiteral() && !strings.Contains(err.Error(), "no project may have") {
				t.Fatal(err)
			}
		}
	})
}

// A tree that is told of each change gives what a new one gives.
func TestForget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fs := memfs.New()
		randomTree(t, fs, []string{"/a", "/b", ".."})
		_ = fs.RemoveAll("/.haz") // where its links lead is looked at once
		tree := New(fs)
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			p, ok := randomPattern(t)
			if !ok {
				continue
			}
			got, _, err := tree.Inputs(t.Context(), []pattern.Pattern{p}, nil)
			want, _, err2 := New(fs).Inputs(t.Context(), []pattern.Pattern{p}, nil)
			if err != nil || err2 != nil || !slices.Equal(got, want) {
				t.Fatalf("%q: got %+v, %v, want %+v, %v", p, got, err, want, err2)
			}
			dir := rapid.SampledFrom([]string{"/a", "/a/b", "/b/ab", "/ab/a/b", "/"}).Draw(t, "dir")
			switch rapid.IntRange(0, 3).Draw(t, "change") {
			case 0:
				_ = fs.RemoveAll(dir)
			case 1:
				_ = fs.RemoveAll(dir)
				_ = fs.Symlink("/b", dir)
			default:
				if fs.MkdirAll(dir, 0o755) == nil {
					name := child(dir, rapid.SampledFrom([]string{"a", "b", "x"}).Draw(t, "file"))
					if _, err := fs.Lstat(name); err == nil {
						continue // also a link, through which another directory would be written
					}
					if f, err := fs.Create(name); err == nil {
						_ = f.Close()
					}
				}
			}
			tree.Forget(dir)
		}
	})
}

func TestForgetKeepsTheRest(t *testing.T) {
	c := count(memory(t, "/libs/a/src/x.c /libs/b/src/y.c /libs/a/out/"))
	tree := New(c)
	if got := inputs(t, tree, "/libs/*/src/**", ""); got != "/libs/a/src/x.c /libs/b/src/y.c" {
		t.Fatal(got)
	}
	makeTree(t, c, "/libs/a/out/o /libs/a/src/gen/z.c /libs/c/src/w.c")
	tree.Forget("/libs/a/out")
	if got := inputs(t, tree, "/libs/*/src/**", ""); got != "/libs/a/src/x.c /libs/b/src/y.c" {
		t.Fatal(got)
	}
	if got := c.listed(); got != "/libs /libs/a/src /libs/b/src" {
		t.Errorf("listed %s", got)
	}
	tree.Forget("/libs/a/src/gen")
	tree.Forget("/libs/c/src")
	if got := inputs(t, tree, "/libs/*/src/**", ""); got != "/libs/a/src/gen/z.c /libs/a/src/x.c /libs/b/src/y.c /libs/c/src/w.c" {
		t.Fatal(got)
	}
	if got := c.listed(); got != "/libs*2 /libs/a/src*2 /libs/a/src/gen /libs/b/src /libs/c/src" {
		t.Errorf("listed %s", got)
	}
}

// manyFiles is a project with src/*.c beside unrelated files.
func manyFiles(t testing.TB, unrelated int) *memfs.FS {
	fs := memory(t, "/p/src/a.c /p/src/b.c /p/src/c.c /p/src/d.c /p/src/x.h")
	for i := range unrelated {
		if i%100 == 0 {
			must(t, fs.MkdirAll(fmt.Sprintf("/p/other/%d", i/100), 0o755))
		}
		f, err := fs.Create(fmt.Sprintf("/p/other/%d/%d.c", i/100, i))
		must(t, err)
		must(t, f.Close())
	}
	return fs
}

// Issue 4, speed: 20 tasks with `src/*.c` beside 20,000 unrelated files cost what reading `src` costs.
func TestWalkReadsOnlyWhatItMust(t *testing.T) {
	c := count(manyFiles(t, 20_000))
	tree := New(c)
	for range 20 {
		if got := inputs(t, tree, "/p/src/*.c", ""); got != "/p/src/a.c /p/src/b.c /p/src/c.c /p/src/d.c" {
			t.Fatal(got)
		}
	}
	if got := c.listed(); got != "/p/src" {
		t.Errorf("listed %s", got)
	}
	if want := 20*4 + 2; c.lstats != want { // the files, and once the directories on the way
		t.Errorf("%d lstats, want %d", c.lstats, want)
	}
	for _, row := range []struct{ in, exclude, want string }{
		{"/p/*/a.c", "", "/p"},
		{"/p/src/a.c", "", ""},
		{"/p/*/**/x.h", "/p/other/**", "/p /p/src"},
		{"/p/**", "/p/other/**", "/p /p/src"},
		{"/p/{src,lib}/*.h", "", "/p/src"},
		{"/p/s*/*.h", "", "/p /p/src"},
		{"/p/src/{a,b}.c", "", ""},
	} {
		c := count(c.FS)
		inputs(t, New(c), row.in, row.exclude)
		if got := c.listed(); got != row.want {
			t.Errorf("%s without %s listed %q, want %q", row.in, row.exclude, got, row.want)
		}
	}
}

func TestTreeIsConcurrent(t *testing.T) {
	c := count(memory(t, "/p/src/a.c /p/src/d/b.c /p/l->../q /q/x.c"))
	tree := New(c)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				if got := inputs(t, tree, "/p/**/*.c", ""); got != "/p/l@../q>dir! /p/l/x.c /p/src/a.c /p/src/d/b.c" {
					t.Errorf("got %q", got)
					return
				}
				if i == 0 {
					tree.Forget("/p/src")
				}
				if i == 1 {
					tree.ForgetAll()
				}
			}
		})
	}
	wg.Wait()
}

// One tree of 20,000 files in 200 folders, walked once by each guide, with nothing remembered.
func BenchmarkWalks(b *testing.B) {
	fs, err := fsys.Host(b.TempDir())
	must(b, err)
	defer fs.Close()
	for i := range 200 {
		dir := fmt.Sprintf("/libs/g%d/p%d", i%10, i)
		must(b, fs.MkdirAll(dir, 0o755))
		for j := range 100 {
			w, err := fs.Create(fmt.Sprintf("%s/f%d.c", dir, j))
			must(b, err)
			must(b, w.Close())
		}
	}
	all, excluded := patterns(b, "/libs/**/*.c"), patterns(b, "/libs/**/*.h /libs/g1/**")
	for name, walk := range map[string]func(*Tree) error{
		"inputs":         func(t *Tree) error { _, _, err := t.Inputs(b.Context(), all, nil); return err },
		"inputs/exclude": func(t *Tree) error { _, _, err := t.Inputs(b.Context(), all, excluded); return err },
		"outputs":        func(t *Tree) error { _, err := t.Outputs(b.Context(), all); return err },
		"projects":       func(t *Tree) error { _, err := t.Directories(b.Context(), mustParse(b, "/libs/**")); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				must(b, walk(New(fs)))
			}
		})
	}
}

func BenchmarkInputs(b *testing.B) {
	b.Run("tasks=20/unrelated=20000", func(b *testing.B) {
		fs := manyFiles(b, 20_000)
		in := patterns(b, "/p/src/*.c")
		b.ReportAllocs()
		for b.Loop() {
			tree := New(fs)
			for range 20 {
				if _, _, err := tree.Inputs(b.Context(), in, nil); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	const tasks = 1000
	fs, err := fsys.Host(b.TempDir())
	must(b, err)
	defer fs.Close()
	var in [][]pattern.Pattern
	src := mustParse(b, "src/*")
	for i := range tasks {
		dir := fmt.Sprintf("/libs/p%d", i)
		makeTree(b, fs, fmt.Sprintf("%[1]s/src/a %[1]s/src/b %[1]s/src/c %[1]s/src/d", dir))
		in = append(in, []pattern.Pattern{src.Anchor(dir)})
	}
	b.Run("tasks=1000/files=4", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			tree := New(fs)
			for _, p := range in {
				if _, _, err := tree.Inputs(b.Context(), p, nil); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("tasks=1000/files=4/listing+lstat", func(b *testing.B) { // what the one above cannot do without
		b.ReportAllocs()
		for b.Loop() {
			for i := range tasks {
				dir := fmt.Sprintf("/libs/p%d/src", i)
				entries, err := fs.List(dir)
				must(b, err)
				for _, e := range entries {
					if _, err := fs.Lstat(dir + "/" + e.Name); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
	})
}
