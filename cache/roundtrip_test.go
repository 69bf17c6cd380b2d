package cache_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

const fn = digest.BLAKE3

var bg = context.Background()

// onBoth runs a test on the file system in memory and on the disk.
func onBoth(t *testing.T, test func(t *testing.T, ws fsys.FS)) {
	t.Run("memory", func(t *testing.T) { test(t, memfs.New()) })
	t.Run("disk", func(t *testing.T) { test(t, disk(t)) })
}

func disk(t testing.TB) fsys.FS {
	t.Helper()
	ws, err := fsys.Host(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	return ws
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rig is a store on a workspace, and what goes with it.
type rig struct {
	t     testing.TB
	ws    fsys.FS
	state *state.State
	store *cache.Store
	now   time.Time

	dirMode uint32 // of a plain mkdir, for Target
}

func newRig(t testing.TB, ws fsys.FS, o cache.Options) *rig {
	r := &rig{t: t, ws: ws, now: cachetest.Epoch}
	r.state = state.Open(ws, o.Hash)
	o.State = r.state
	o.Now = func() time.Time { return r.now }
	r.store = cachetest.Open(ws, o)
	t.Cleanup(func() { r.store.Close() })
	return r
}

// put writes the outputs of a task into the tree, stores them under k, and takes them away again.
func (r *rig) put(task *cachetest.Task, k entry.Key) {
	r.t.Helper()
	must(r.t, task.Outputs.Write(r.ws))
	already, err := cachetest.Store(bg, r.store, task.Request(fn, k))
	if err != nil || already {
		r.t.Fatalf("store: already there %v, %v", already, err)
	}
	must(r.t, task.Outputs.Remove(r.ws))
}

func (r *rig) hit(task *cachetest.Task, k entry.Key) cachetest.Outcome {
	r.t.Helper()
	target := task.Target(r.ws, r.state)
	target.DirMode = r.dirMode
	return cachetest.Hit(bg, r.store, k, target)
}

// mustHit restores, and the tree must be right afterwards.
func (r *rig) mustHit(task *cachetest.Task, k entry.Key) cachetest.Outcome {
	r.t.Helper()
	o := r.hit(task, k)
	if o.Miss != nil || o.Err != nil {
		r.t.Fatalf("no hit: %v, %v", o.Miss, o.Err)
	}
	r.same(task.Outputs)
	for what, s := range map[string]struct {
		stream cache.Stream
		want   string
	}{"stdout": {o.Restored.Stdout, task.Stdout}, "stderr": {o.Restored.Stderr, task.Stderr}} {
		if got, err := cachetest.StreamText(r.ws, s.stream); err != nil || got != s.want || s.stream.Len != int64(len(s.want)) {
			r.t.Errorf("%s: %d bytes, %v; want %d", what, len(got), err, len(s.want))
		}
	}
	return o
}

func (r *rig) tree() cachetest.Tree {
	r.t.Helper()
	got, err := cachetest.Look(r.ws, layout.Dir)
	must(r.t, err)
	return got
}

func (r *rig) same(want cachetest.Tree) {
	r.t.Helper()
	if d := cachetest.Missing(r.tree(), want); d != "" {
		r.t.Error(d)
	}
}

// onlyThese fails when anything but want, and directories on the way to it, lies in the tree.
func (r *rig) onlyThese(want cachetest.Tree) {
	r.t.Helper()
	for path, item := range r.tree() {
		if _, ok := want[path]; ok {
			continue
		}
		leads := false
		for w := range want {
			leads = leads || strings.HasPrefix(w, path+"/")
		}
		if item.Kind != fsys.Dir || !leads {
			r.t.Errorf("%s: unexpected %v", path, item)
		}
	}
	r.same(want)
}

// noLeftovers ends the run; nothing of its stores and restores may be left behind.
func (r *rig) noLeftovers() {
	r.t.Helper()
	if r.store != nil {
		r.store.Finish()
	}
	all, err := cachetest.Look(r.ws)
	must(r.t, err)
	for path := range all {
		for _, mark := range []string{"/.tmp-", "/.trash-", "/restore-", "/trash-", ".haz-restore-"} {
			if strings.Contains(path, mark) {
				r.t.Errorf("left behind: %s", path)
			}
		}
		if strings.HasSuffix(path, "/lock") && strings.HasPrefix(path, "/.haz/cache/") {
			r.t.Errorf("left behind: %s", path)
		}
	}
}

var big = strings.Repeat("0123456789abcdef", 5000) // 80,000 bytes: more than is held in memory

// sample has every kind of output.
func sample() *cachetest.Task {
	return &cachetest.Task{
		Name:     "p:gen",
		Patterns: []string{"/p/out/**", "/p/tool"},
		Outputs: cachetest.Tree{
			"/p/out/a":       cachetest.File("hello\n", 0o644),
			"/p/out/big":     cachetest.File(big, 0o600),
			"/p/out/dir/a2":  cachetest.File("hello\n", 0o755), // content of a, another mode
			"/p/out/dir/nil": cachetest.File("", 0o444),
			"/p/out/empty":   cachetest.Dir(0o750),
			"/p/out/loop":    cachetest.Link("loop"),
			"/p/out/to-a":    cachetest.Link("a"),
			"/p/out/away":    cachetest.Link("/etc/passwd"),
			"/p/tool":        cachetest.File("#!/bin/sh\n", 0o777),
		},
		Stdout: "out\n",
		Stderr: big + big,
	}
}

// S-18, S-19, S-21, CACHE-013, CACHE-019: what was stored comes back: bytes, modes, links, empty directories, streams.
func TestStoreAndRestore(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := sample()
		k := task.Key()
		if _, miss := r.store.Lookup(k); miss == nil || miss.Reason != entry.NoEntry {
			t.Fatalf("before the first store: %v", miss)
		}
		if _, err := ws.Lstat(layout.Dir); err == nil {
			t.Error("a lookup has made .haz")
		}
		r.put(task, k)
		o := r.mustHit(task, k)
		if o.Nothing || o.Restored.Written != len(task.Outputs) {
			t.Errorf("nothing %v, written %d", o.Nothing, o.Restored.Written)
		}
		r.onlyThese(task.Outputs)
		r.noLeftovers()
		if got := o.Restored.Products; len(got.Files) != len(task.Outputs) || got.Key != k {
			t.Errorf("product list %+v", got)
		}
		if r.store.Trouble() != nil {
			t.Error(r.store.Trouble())
		}
	})
}

// S-33: a second hit writes nothing, inode and times of every output included.
func TestNothingIsRewritten(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := sample()
		r.put(task, task.Key())
		r.mustHit(task, task.Key())
		before := map[string]fsys.Info{}
		for path := range task.Outputs {
			before[path], _ = ws.Lstat(path)
		}
		o := r.mustHit(task, task.Key())
		if !o.Nothing || o.Restored.Written != 0 {
			t.Errorf("nothing %v, written %d", o.Nothing, o.Restored.Written)
		}
		for path, was := range before {
			if now, _ := ws.Lstat(path); now != was {
				t.Errorf("%s: %+v, was %+v", path, now, was)
			}
		}
	})
}

// Only what differs is written: the rest keeps its inode (7.5 step 1).
func TestOnlyDifferencesAreWritten(t *testing.T) {
	tests := map[string]func(ws fsys.FS) error{
		"bytes":         func(ws fsys.FS) error { return cachetest.WriteFile(ws, "/p/out/a", "hullo\n", 0o644) },
		"length":        func(ws fsys.FS) error { return cachetest.WriteFile(ws, "/p/out/a", "hello, world\n", 0o644) },
		"mode":          func(ws fsys.FS) error { return ws.Chmod("/p/out/a", 0o640) },
		"set-uid":       func(ws fsys.FS) error { return ws.Chmod("/p/out/a", fsys.PermMode(0o4644)) },
		"absent":        func(ws fsys.FS) error { return ws.Remove("/p/out/a") },
		"link to right": func(ws fsys.FS) error { return cachetest.Tree{"/p/out/a": cachetest.Link("dir/a2")}.Write(ws) },
		"empty dir":     func(ws fsys.FS) error { return ws.Remove("/p/out/empty") },
		"dir mode":      func(ws fsys.FS) error { return ws.Chmod("/p/out/empty", 0o700) },
		"link text":     func(ws fsys.FS) error { return cachetest.Tree{"/p/out/to-a": cachetest.Link("b")}.Write(ws) },
		"file for link": func(ws fsys.FS) error { return cachetest.Tree{"/p/out/to-a": cachetest.File("x", 0o644)}.Write(ws) },
	}
	for name, disturb := range tests {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, ws fsys.FS) {
				r := newRig(t, ws, cache.Options{})
				task := sample()
				r.put(task, task.Key())
				r.mustHit(task, task.Key())
				keep, _ := ws.Lstat("/p/out/big")
				must(t, disturb(ws))
				o := r.mustHit(task, task.Key())
				if o.Nothing || o.Restored.Written != 1 {
					t.Errorf("nothing %v, written %d", o.Nothing, o.Restored.Written)
				}
				if now, _ := ws.Lstat("/p/out/big"); now != keep {
					t.Error("an output that was right was touched")
				}
				r.onlyThese(task.Outputs)
				r.noLeftovers()
			})
		})
	}
}

// 14.8, S-34: stale outputs of this task go, whatever the user made or edited stays.
func TestStaleOutputs(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		one := &cachetest.Task{Name: "p:gen", Patterns: []string{"/p/out/**"}, Outputs: cachetest.Tree{
			"/p/out/f1": cachetest.File("1", 0o644), "/p/out/f2": cachetest.File("2", 0o644)}}
		two := &cachetest.Task{Name: "p:gen", Patterns: one.Patterns, Outputs: cachetest.Tree{
			"/p/out/f1": cachetest.File("1", 0o644), "/p/out/f3": cachetest.File("3", 0o644),
			"/p/out/deep/er/f4": cachetest.File("4", 0o644), "/p/out/edited": cachetest.File("5", 0o644),
			"/p/out/in": cachetest.File("6", 0o644), "/p/out/theirs": cachetest.File("7", 0o644),
			"/p/out/link": cachetest.Link("f1"), "/p/out/hollow": cachetest.Dir(0o755), "/p/out/full": cachetest.Dir(0o755),
			"/p/out/mixed/f8": cachetest.File("8", 0o644)}}
		r.put(one, one.Key("1"))
		r.put(two, two.Key("2"))
		r.mustHit(two, two.Key("2"))
		users := cachetest.Tree{"/p/out/notes": cachetest.File("mine", 0o600), "/p/out/edited": cachetest.File("5 and more", 0o644),
			"/p/out/full/x": cachetest.File("mine", 0o600), "/p/out/mixed/mine": cachetest.File("mine", 0o644)}
		must(t, users.Write(ws))
		one.Inputs, one.Others = []string{"/p/out/in"}, []string{"/p/out/theirs"}
		o := r.mustHit(one, one.Key("1"))
		if o.Restored.Written != 1 {
			t.Errorf("written %d", o.Restored.Written)
		}
		want := cachetest.Tree{"/p/out/in": two.Outputs["/p/out/in"], "/p/out/theirs": two.Outputs["/p/out/theirs"]}
		for _, part := range []cachetest.Tree{users, one.Outputs} {
			for path, item := range part {
				want[path] = item
			}
		}
		r.onlyThese(want)
		r.noLeftovers()
		if again := r.mustHit(one, one.Key("1")); !again.Nothing {
			t.Error("not at rest")
		}
	})
}

// 7.5 step 3: what may give way and what may not.
func TestClearTheWay(t *testing.T) {
	file := func(text string) cachetest.Item { return cachetest.File(text, 0o644) }
	tests := []struct {
		name           string
		before, target cachetest.Tree // the task's earlier result, and the one to restore
		users          cachetest.Tree // what the user puts there in between
		path           string         // that the error names; "" when it works
	}{
		{name: "own directory for a file", before: cachetest.Tree{"/p/out/x/a": file("a"), "/p/out/x/y/b": file("b")},
			target: cachetest.Tree{"/p/out/x": file("x")}},
		{name: "own directory for a link", before: cachetest.Tree{"/p/out/x/a": file("a")},
			target: cachetest.Tree{"/p/out/x": cachetest.Link("a")}},
		{name: "own file for a directory", before: cachetest.Tree{"/p/out/x": file("x")},
			target: cachetest.Tree{"/p/out/x/a": file("a"), "/p/out/x/b": file("b")}},
		{name: "own link for a directory", before: cachetest.Tree{"/p/out/x": cachetest.Link("..")},
			target: cachetest.Tree{"/p/out/x/a": file("a")}},
		{name: "own file for an empty directory", before: cachetest.Tree{"/p/out/x": file("x")},
			target: cachetest.Tree{"/p/out/x": cachetest.Dir(0o700)}},
		{name: "own empty directory for a file", before: cachetest.Tree{"/p/out/x": cachetest.Dir(0o700)},
			target: cachetest.Tree{"/p/out/x": file("x")}},
		{name: "foreign file in the directory", before: cachetest.Tree{"/p/out/x/a": file("a")},
			target: cachetest.Tree{"/p/out/x": file("x")}, users: cachetest.Tree{"/p/out/x/mine": file("m")}, path: "/p/out/x"},
		{name: "edited file in the directory", before: cachetest.Tree{"/p/out/x/a": file("a")},
			target: cachetest.Tree{"/p/out/x": file("x")}, users: cachetest.Tree{"/p/out/x/a": file("b")}, path: "/p/out/x"},
		{name: "foreign file for a directory", target: cachetest.Tree{"/p/out/x/a": file("a")},
			users: cachetest.Tree{"/p/out/x": file("mine")}, path: "/p/out/x"},
		{name: "foreign file for an empty directory", target: cachetest.Tree{"/p/out/x": cachetest.Dir(0o755)},
			users: cachetest.Tree{"/p/out/x": file("mine")}, path: "/p/out/x"},
		{name: "edited file for a directory", before: cachetest.Tree{"/p/out/x": file("x")}, target: cachetest.Tree{"/p/out/x/a": file("a")},
			users: cachetest.Tree{"/p/out/x": file("edited")}, path: "/p/out/x"},
		{name: "foreign link on the way", target: cachetest.Tree{"/p/out/x/a": file("a")},
			users: cachetest.Tree{"/p/out/x": cachetest.Link("../elsewhere"), "/p/elsewhere/keep": file("k")}, path: "/p/out/x"},
		{name: "file in the fixed prefix", target: cachetest.Tree{"/p/out/x/a": file("a")},
			users: cachetest.Tree{"/p/out": file("mine")}, path: "/p/out"},
		{name: "hand-edited output", before: cachetest.Tree{"/p/out/x": file("x")}, target: cachetest.Tree{"/p/out/x": file("new")},
			users: cachetest.Tree{"/p/out/x": file("by hand")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, ws fsys.FS) {
				r := newRig(t, ws, cache.Options{})
				// A second output, so that something is there to be undone.
				tt.target["/p/out/0"] = file("zero")
				old := &cachetest.Task{Name: "p:gen", Patterns: []string{"/p/out/**"}, Outputs: tt.before}
				task := &cachetest.Task{Name: "p:gen", Patterns: old.Patterns, Outputs: tt.target}
				r.put(task, task.Key())
				if tt.before != nil {
					r.put(old, old.Key("old"))
					r.mustHit(old, old.Key("old"))
				} else {
					must(t, ws.RemoveAll("/p"))
				}
				must(t, tt.users.Write(ws))
				was := r.tree()
				o := r.hit(task, task.Key())
				r.noLeftovers()
				if tt.path == "" {
					if o.Err != nil {
						t.Fatal(o.Err)
					}
					r.onlyThese(tt.target)
					return
				}
				var e *cache.RestoreError
				if !errors.As(o.Err, &e) || e.Path != tt.path || e.Damaged || e.IsInput {
					t.Fatalf("error %+v, want one about %s", o.Err, tt.path)
				}
				if d := cachetest.Diff(r.tree(), was); d != "" {
					t.Error("the tree is not as it was:\n" + d)
				}
				if _, miss := r.store.Lookup(task.Key()); miss != nil {
					t.Errorf("the entry is gone: %v", miss)
				}
			})
		})
	}
}
