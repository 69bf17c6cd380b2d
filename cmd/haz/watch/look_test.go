//go:build linux

package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// A look sees through links, ends where links go round, and sees what stands behind a link change.
func TestWatchLookLinks(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	mustWrite(t, filepath.Join(outside, "f"), "1")
	mustWrite(t, filepath.Join(root, "a/x"), "1")
	for link, to := range map[string]string{"a/round": "..", "dir": outside, "file": filepath.Join(outside, "f"), "dangling": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	tree := Open(root)
	defer tree.Close()
	everything := newWants([]want{{pattern: mustGlob(t, "/**")}})
	before := tree.look(everything)
	for _, want := range []string{"/a/x", "/dir/f", "/file", "/dangling", "/a/round"} {
		if _, ok := before[want]; !ok {
			t.Errorf("%s is not seen, only %v", want, before)
		}
	}
	if len(before) > 8 {
		t.Errorf("links that go round are followed: %v", before)
	}
	mustWrite(t, filepath.Join(outside, "f"), "22")
	if diff := cmp.Diff([]string{"/dir/f", "/file"}, Differing(before, tree.look(everything))); diff != "" {
		t.Error(diff)
	}
}

func mustGlob(t *testing.T, text string) pattern.Pattern {
	t.Helper()
	p, err := pattern.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Packages that are linked into each other are looked into once, however many ways lead to them; a file is seen under the
// path that a pattern spells.
func TestWatchLookLinkedPackages(t *testing.T) {
	const n = 40
	root := t.TempDir()
	var all []want
	for i := range n {
		pkg := fmt.Sprintf("packages/p%02d", i)
		mustWrite(t, filepath.Join(root, pkg, "src/index.js"), "1")
		if err := os.MkdirAll(filepath.Join(root, pkg, "node_modules"), 0o755); err != nil {
			t.Fatal(err)
		}
		for k := i + 1; k < min(n, i+4); k++ {
			if err := os.Symlink(fmt.Sprintf("../../p%02d", k), filepath.Join(root, pkg, fmt.Sprintf("node_modules/p%02d", k))); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, want{pattern: mustGlob(t, "/"+pkg+"/**")})
	}
	all = append(all, want{pattern: mustGlob(t, "/packages/p00/node_modules/p01/src/*")})
	tree := Open(root)
	defer tree.Close()
	seen := tree.look(newWants(all))
	for i := range n {
		if p := fmt.Sprintf("/packages/p%02d/src/index.js", i); seen[p] == (Stamp{}) {
			t.Errorf("%s is not seen", p)
		}
	}
	if seen["/packages/p00/node_modules/p01/src/index.js"] == (Stamp{}) {
		t.Error("a file is not seen under the path that a pattern spells")
	}
	// Each of the 40 patterns may come through each of the 160 directories once.
	if len(seen) > n*n*8 {
		t.Errorf("%d paths are seen", len(seen))
	}
}

// A workspace of a package manager, 200 packages that are linked into each other beside a store of all that others wrote: the system holds a watch for
// each folder in which a source or a definition can lie, and for none of the store, however many ways lead there.
func TestWatchLookWorkspaceOfPackages(t *testing.T) {
	const packages, stored, needs = 200, 50, 8
	root := t.TempDir()
	link := func(to, at string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, at)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, filepath.Join(root, at)); err != nil {
			t.Fatal(err)
		}
	}
	for k := range stored {
		mustWrite(t, filepath.Join(root, fmt.Sprintf("node_modules/.pnpm/d%d@1/node_modules/d%d/lib/index.js", k, k)), "1")
		link(fmt.Sprintf("../../d%d@1/node_modules/d%d", (k+1)%stored, (k+1)%stored), fmt.Sprintf("node_modules/.pnpm/d%d@1/node_modules/d%d", k, (k+1)%stored+stored))
	}
	var tasks []*haz.Task
	for i := range packages {
		dir := fmt.Sprintf("packages/p%03d", i)
		mustWrite(t, filepath.Join(root, dir, "package.json"), "{}")
		mustWrite(t, filepath.Join(root, dir, "src/deep/index.ts"), "1")
		mustWrite(t, filepath.Join(root, dir, "dist/index.js"), "1")
		for k := range needs {
			other := (i*7 + k*31 + 1) % packages
			link(fmt.Sprintf("../../p%03d", other), fmt.Sprintf("%s/node_modules/p%03d-%d", dir, other, k))
			link(fmt.Sprintf("../../../node_modules/.pnpm/d%d@1/node_modules/d%d", (i+k)%stored, (i+k)%stored), fmt.Sprintf("%s/node_modules/d%d-%d", dir, (i+k)%stored, k))
		}
		tasks = append(tasks, &haz.Task{Inputs: declare(t, "/"+dir+"/src/**", "/"+dir+"/package.json"), Outputs: declare(t, "/"+dir+"/dist/**")},
			&haz.Task{Inputs: declare(t, "/"+dir+"/**"), Exclude: declare(t, "/"+dir+"/node_modules/**"), Outputs: declare(t, "/"+dir+"/dist/**")})
	}
	before := heldWatches(t)
	tree := Open(root)
	defer tree.Close()
	seen := tree.look(InterestIn(entries(t, "/packages/*"), tasks).Inferring(entries(t, "/package.json", "/packages/*/package.json")).wants)
	// The root, packages, and of each package itself, src, and src/deep; dist is what tasks make.
	if got, want := heldWatches(t)-before, 2+3*packages; got != want {
		t.Errorf("the system holds %d watches, want %d", got, want)
	}
	if len(seen) > 6*packages {
		t.Errorf("%d files are looked at", len(seen))
	}
	for dir := range tree.watched {
		if strings.Contains(dir, "node_modules") {
			t.Errorf("%s is watched", dir)
		}
	}
}

// heldWatches is how many inotify watches the system holds for this process.
func heldWatches(t *testing.T) (n int) {
	t.Helper()
	infos, err := filepath.Glob("/proc/self/fdinfo/*")
	if err != nil || len(infos) == 0 {
		t.Skip("the system does not tell of watches")
	}
	for _, name := range infos {
		text, _ := os.ReadFile(name)
		n += strings.Count(string(text), "inotify wd:")
	}
	return n
}

// What no pattern can match is not watched.
func TestWatchLookNarrow(t *testing.T) {
	root := t.TempDir()
	for _, f := range []string{"app/src/a.js", "app/src/deep/b.js", "app/node_modules/x/lib/y.js", "app/dist/z.js", "other/f", ".git/HEAD", ".haz/cache/ab/x"} {
		mustWrite(t, filepath.Join(root, f), "1")
	}
	tree := Open(root)
	defer tree.Close()
	tree.look(InterestIn(entries(t, "/app"), []*haz.Task{
		{Inputs: declare(t, "/app/src/**", "/app/dist/**"), Exclude: declare(t, "/app/src/deep/**")},
		{Outputs: declare(t, "/app/dist/**")},
	}).wants)
	want := []string{"", "/.haz", "/app", "/app/src"}
	var got []string
	for dir := range tree.watched {
		got = append(got, strings.TrimPrefix(dir, root))
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Folders that listed patterns leave out are not watched, unless another pattern asks for what is there.
func TestWatchLookListed(t *testing.T) {
	root := t.TempDir()
	for _, f := range []string{"app/src/a.js", "app/node_modules/x/y.js", "app/target/z", "app/sub/n", "app/gen/g", "app/.hid/h"} {
		mustWrite(t, filepath.Join(root, f), "1")
	}
	tree := Open(root)
	defer tree.Close()
	project := workspace.PatternDecl{Pattern: pattern.Listed("/app", []string{"/app/sub"})}
	i := InterestIn(nil, []*haz.Task{{Inputs: []workspace.PatternDecl{project}}, {Inputs: declare(t, "/app/gen/*", "/app/src/*")}}).
		Without(func(dir string) bool {
			return slices.Contains([]string{"/app/node_modules", "/app/target", "/app/gen"}, dir)
		})
	tree.look(i.wants)
	want := []string{"", "/app", "/app/.hid", "/app/gen", "/app/src"}
	var got []string
	for dir := range tree.watched {
		got = append(got, strings.TrimPrefix(dir, root))
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for path, want := range map[string]bool{"/app/x": true, "/app/src/a.js": false, "/app/haz.yml": true, "/haz.yml": false, "/app/sub/n": true} {
		if got := i.ListedAlone(path); got != want {
			t.Errorf("%s is listed alone: %t, want %t", path, got, want)
		}
	}
	if i.Matters("/app/sub/n") || !i.Matters("/app/new") {
		t.Error("what lies in a nested project matters, or what is new does not")
	}
}

// A root that is gone is waited for; where it comes back as another folder, that one is watched.
func TestWatchRootGoneAndBack(t *testing.T) {
	root := filepath.Join(t.TempDir(), "ws")
	mustWrite(t, filepath.Join(root, "a"), "1")
	everything := newWants([]want{{pattern: mustGlob(t, "/**")}})
	tree := Open(root)
	defer tree.Close()
	if !tree.Present() || len(tree.look(everything)) != 1 || tree.polls() {
		t.Fatal("not watched from the start")
	}
	if err := os.Rename(root, root+".away"); err != nil {
		t.Fatal(err)
	}
	if tree.Present() || !tree.polls() {
		t.Error("its going is not noticed, or nobody looks whether it comes back")
	}
	mustWrite(t, filepath.Join(root, "b"), "1")
	if !tree.Present() || tree.polls() || len(tree.look(everything)) != 1 {
		t.Error("the new folder is not seen")
	}
	for len(tree.Stirs) > 0 {
		<-tree.Stirs
	}
	mustWrite(t, filepath.Join(root, "c"), "1")
	select {
	case <-tree.Stirs:
	case <-time.After(30 * time.Second):
		t.Error("the new folder is not watched")
	}
}

// Where a link comes to lead elsewhere, itself or by way of another one, that is noticed, and what lies there is watched from then on.
func TestWatchLookLinkSwitched(t *testing.T) {
	for name, c := range map[string]struct {
		links    map[string]string
		switched string // this link, from v1 to v2
	}{
		"itself":            {map[string]string{"p/dep": "../v1"}, "p/dep"},
		"by way of another": {map[string]string{"p/dep": "../links/cur", "links/cur": "../v1"}, "links/cur"},
		"above another":     {map[string]string{"p/dep": "../links/cur", "links/cur": "more/cur", "links/more": "../deep", "deep/cur": "../v1"}, "deep/cur"},
		"of a file":         {map[string]string{"p/dep": "d", "p/d/f": "../../links/cur/f", "links/cur": "../v1"}, "links/cur"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			mustWrite(t, filepath.Join(root, "v1/f"), "1")
			mustWrite(t, filepath.Join(root, "v2/f"), "22")
			for link, to := range c.links {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(root, link)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
					t.Fatal(err)
				}
			}
			tree := Open(root)
			defer tree.Close()
			wants := newWants([]want{{pattern: mustGlob(t, "/p/dep/*")}})
			stirred := func(why string) {
				t.Helper()
				select {
				case <-tree.Stirs:
				case <-time.After(30 * time.Second):
					t.Fatal(why)
				}
			}
			before := tree.look(wants)
			at := filepath.Join(root, c.switched)
			if err := os.Symlink(strings.Replace(c.links[c.switched], "v1", "v2", 1), at+".new"); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(at+".new", at); err != nil {
				t.Fatal(err)
			}
			stirred("the switch is not noticed")
			after := tree.look(wants)
			if before["/p/dep/f"] == after["/p/dep/f"] {
				t.Errorf("the file is as it was: %v", after)
			}
			tree.look(wants) // of what came of the switch nothing is left
			for len(tree.Stirs) > 0 {
				<-tree.Stirs
			}
			mustWrite(t, filepath.Join(root, "v2/f"), "333")
			stirred("what the link leads to now is not watched")
		})
	}
}
