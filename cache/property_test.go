package cache_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// gen draws trees and disturbances.
type gen struct{ *rand.Rand }

func (g gen) name() string {
	names := []string{"a", "b", "c", "d.o", "a b", "a.b", "é", "-", "A"}
	return names[g.IntN(len(names))]
}

func (g gen) text() string {
	switch g.IntN(8) {
	case 0:
		return ""
	case 1:
		return strings.Repeat(g.name(), 66_000/2) // more than is copied in one piece
	}
	return g.name() + g.name()
}

func (g gen) item() cachetest.Item {
	switch g.IntN(6) {
	case 0:
		return cachetest.Link([]string{"a", "../b", "nowhere", "/etc/passwd", ".", "../../q"}[g.IntN(6)])
	case 1:
		return cachetest.Dir([]uint32{0o755, 0o700, 0o777, 0o750}[g.IntN(4)])
	}
	return cachetest.File(g.text(), []uint32{0o644, 0o755, 0o600, 0o444, 0o777}[g.IntN(5)])
}

func (g gen) path() string {
	p := "/p/out"
	for range 1 + g.IntN(3) {
		p += "/" + g.name()
	}
	return p
}

// tree draws outputs that a task could have left: nothing below a file, directories only when empty.
func (g gen) tree() cachetest.Tree {
	t := cachetest.Tree{}
	for range g.IntN(10) {
		path, item := g.path(), g.item()
		fits := true
		for other := range t {
			fits = fits && other != path && !strings.HasPrefix(other, path+"/") && !strings.HasPrefix(path, other+"/")
		}
		if fits {
			t[path] = item
		}
	}
	return t
}

// disturb changes the tree as users, and other programs, do.
func (g gen) disturb(ws fsys.FS, known cachetest.Tree) error {
	paths := known.Paths()
	for range g.IntN(6) {
		path := g.path()
		if len(paths) > 0 && g.IntN(3) > 0 {
			path = paths[g.IntN(len(paths))]
			if g.IntN(3) == 0 {
				path = path[:strings.LastIndexByte(path, '/')]
			}
		}
		if !strings.HasPrefix(path, "/p/out/") {
			continue
		}
		info, err := ws.Lstat(path)
		switch k := g.IntN(5); {
		case err != nil || k == 0: // something else, or something new
			for dir := path; dir != "/p/out"; { // what is in the way goes
				dir = dir[:strings.LastIndexByte(dir, '/')]
				if i, err := ws.Lstat(dir); err == nil && i.Kind != fsys.Dir {
					if err := ws.Remove(dir); err != nil {
						return err
					}
				}
			}
			if err := ws.RemoveAll(path); err != nil {
				return err
			}
			if err := (cachetest.Tree{path: g.item()}).Write(ws); err != nil {
				return err
			}
		case k == 1:
			if err := ws.RemoveAll(path); err != nil {
				return err
			}
		case k == 2 && info.Kind == fsys.File:
			if err := cachetest.WriteFile(ws, path, g.text(), info.Perm); err != nil {
				return err
			}
		case k == 3 && info.Kind == fsys.File:
			if err := ws.Chmod(path, 0o640); err != nil {
				return err
			}
		}
	}
	return nil
}

// S-18..S-21, S-33, S-34, CACHE-019, CACHE-020 over random trees: two results of one task are stored; one is restored, the
// tree is disturbed, and the other one is restored. Either all is right then (what was right keeps its inode, what is
// stale and untouched is gone, what is the user's is as it was), or the tree is exactly as before.
func TestRandomTrees(t *testing.T) {
	worked, failed, nothing := 0, 0, 0
	for seed := range uint64(pick(150, 6000)) {
		var ws fsys.FS = memfs.New()
		if seed%4 == 0 { // half of the long campaign's 3,000 trees and more lie on the real disk
			ws = disk(t)
		}
		switch o := randomTree(t, ws, gen{rand.New(rand.NewPCG(seed, 7))}); {
		case o.Err != nil:
			failed++
		case o.Nothing:
			nothing++
		default:
			worked++
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d restored, %d had nothing to do, %d refused", worked, nothing, failed)
	if worked < failed || nothing == 0 || failed == 0 {
		t.Error("the trees are not what they should be")
	}
}

func randomTree(t *testing.T, ws fsys.FS, g gen) cachetest.Outcome {
	r := newRig(t, ws, cache.Options{})
	old := &cachetest.Task{Name: "p:t", Patterns: []string{"/p/out/**"}, Outputs: g.tree(), Stdout: g.text()}
	task := &cachetest.Task{Name: "p:t", Patterns: old.Patterns, Outputs: g.tree(), Stderr: g.text()}
	if g.IntN(3) == 0 { // often the results are much alike
		task.Outputs = cachetest.Tree{}
		for path, item := range old.Outputs {
			if g.IntN(5) > 0 {
				task.Outputs[path] = item
			}
		}
	}
	must(t, ws.MkdirAll("/p/out", 0o755))
	r.put(old, old.Key("old"))
	must(t, ws.RemoveAll("/p/out"))
	r.put(task, task.Key())
	must(t, ws.RemoveAll("/p/out"))
	r.mustHit(old, old.Key("old"))
	if g.IntN(4) > 0 {
		must(t, g.disturb(ws, old.Outputs))
	}
	before := r.tree()
	inodes := map[string]uint64{}
	for path, item := range task.Outputs {
		if before[path] == item {
			info, err := ws.Lstat(path)
			must(t, err)
			inodes[path] = info.Inode
		}
	}
	o := r.hit(task, task.Key())
	after := r.tree()
	r.noLeftovers()
	describe := func() string {
		return fmt.Sprintf("old:\n%v\nnew:\n%v\nbefore:\n%v\nafter:\n%v\n%v", show(old.Outputs), show(task.Outputs), show(before), show(after), o.Err)
	}
	if o.Miss != nil {
		t.Fatalf("%v\n%s", o.Miss, describe())
	}
	if o.Err != nil {
		var e *cache.RestoreError
		if !errors.As(o.Err, &e) || e.Damaged || e.IsInput || e.Path == "" {
			t.Errorf("%+v\n%s", o.Err, describe())
		}
		if d := cachetest.Diff(after, before); d != "" {
			t.Errorf("refused, but not as before:\n%s\n%s", d, describe())
		}
		return o
	}
	if d := cachetest.Missing(after, task.Outputs); d != "" {
		t.Errorf("restored wrongly:\n%s\n%s", d, describe())
	}
	for path, inode := range inodes {
		if info, err := ws.Lstat(path); err != nil || info.Inode != inode {
			t.Errorf("%s was right and is another file now\n%s", path, describe())
		}
	}
	for path, item := range before {
		if _, recorded := task.Outputs[path]; recorded || item.Kind == fsys.Dir {
			continue
		}
		made, ours := old.Outputs[path]
		untouched := ours && made.Kind == item.Kind && made.Text == item.Text
		switch got, there := after[path]; {
		case untouched && there && got == item:
			t.Errorf("%s is stale and still there\n%s", path, describe())
		case !untouched && got != item:
			t.Errorf("%s is the user's and is %v now\n%s", path, got, describe())
		}
	}
	if again := r.mustHit(task, task.Key()); !again.Nothing {
		t.Errorf("not at rest\n%s", describe())
	}
	return o
}

func show(t cachetest.Tree) string {
	var b strings.Builder
	for _, path := range t.Paths() {
		fmt.Fprintf(&b, "  %s %v\n", path, t[path])
	}
	return b.String()
}
