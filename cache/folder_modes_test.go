package cache_test

import (
	"errors"
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// A result of which the folders matter: modes, one that is closed, and a fixed prefix that may be empty.
func folders(more cachetest.Tree) *cachetest.Task {
	task := &cachetest.Task{Name: "p:gen", Patterns: []string{"/p/out/**", "/p/gen/*/x", "/p/lit/file"}, Outputs: cachetest.Tree{}}
	for path, item := range more {
		task.Outputs[path] = item
	}
	return task
}

// Folders come back as the task left them, also where no pattern matches the folder itself, and a second hit is at rest.
func TestFoldersComeBack(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := folders(cachetest.Tree{
			"/p/out": cachetest.Dir(0o500), "/p/out/closed": cachetest.Dir(0o555), "/p/out/closed/a": cachetest.File("a", 0o444),
			"/p/out/closed/deep": cachetest.Dir(0o555), "/p/out/closed/deep/b": cachetest.File("b", 0o444),
			"/p/gen/one": cachetest.Dir(0o700), "/p/gen/one/x": cachetest.File("x", 0o644),
			"/p/lit": cachetest.Dir(0o750), "/p/lit/file": cachetest.File("f", 0o644),
		})
		r.put(task, task.Key())
		must(t, ws.RemoveAll("/p"))
		r.mustHit(task, task.Key())
		r.onlyThese(task.Outputs)
		if o := r.mustHit(task, task.Key()); !o.Nothing {
			t.Error("not at rest")
		}
		r.noLeftovers()
	})
}

// What a result has of folders gives way to what the next one has, also where they are closed.
func TestFoldersGiveWay(t *testing.T) {
	file := func(text string) cachetest.Item { return cachetest.File(text, 0o644) }
	for _, tt := range []struct {
		name        string
		before, now cachetest.Tree
		want        cachetest.Tree // beside now
	}{
		{"another content", cachetest.Tree{"/p/out/c": cachetest.Dir(0o555), "/p/out/c/a": file("a"), "/p/out/c/b": file("b")},
			cachetest.Tree{"/p/out/c": cachetest.Dir(0o555), "/p/out/c/a": file("A"), "/p/out/c/d/e": file("e")}, nil},
		{"an ordinary mode", cachetest.Tree{"/p/out/c": cachetest.Dir(0o500), "/p/out/c/a": file("a")},
			cachetest.Tree{"/p/out/c/a": file("a")}, cachetest.Tree{"/p/out/c": cachetest.Dir(0o755)}},
		{"no folder any more", cachetest.Tree{"/p/out/c": cachetest.Dir(0o555), "/p/out/c/a": file("a")},
			cachetest.Tree{"/p/out/c": file("c")}, nil},
		{"nothing any more", cachetest.Tree{"/p/out/c": cachetest.Dir(0o555), "/p/out/c/a": file("a")}, cachetest.Tree{"/p/out/b": file("b")}, nil},
		{"an empty prefix goes", cachetest.Tree{"/p/out": cachetest.Dir(0o755)}, cachetest.Tree{}, nil},
		{"an empty prefix comes", cachetest.Tree{"/p/out/a": file("a")}, cachetest.Tree{"/p/out": cachetest.Dir(0o755)}, nil},
		{"a link in an opened folder", cachetest.Tree{"/p/out/c": cachetest.Dir(0o555), "/p/out/c/l": cachetest.Link("x")},
			cachetest.Tree{"/p/out/c": cachetest.Dir(0o555), "/p/out/c/l": cachetest.Link("y")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, ws fsys.FS) {
				r := newRig(t, ws, cache.Options{})
				r.dirMode = 0o755
				old, task := folders(tt.before), folders(tt.now)
				r.put(task, task.Key("now"))
				must(t, ws.RemoveAll("/p"))
				r.put(old, old.Key("old"))
				must(t, ws.RemoveAll("/p"))
				r.mustHit(old, old.Key("old"))
				r.mustHit(task, task.Key("now"))
				got := r.tree()
				for path, item := range got {
					if _, is := tt.before[path]; is && tt.now[path] != item && tt.want[path] != item {
						t.Errorf("%s: %v is of the earlier result", path, item)
					}
				}
				for _, want := range []cachetest.Tree{tt.now, tt.want} {
					if d := cachetest.Missing(got, want); d != "" {
						t.Error(d)
					}
				}
				if o := r.mustHit(task, task.Key("now")); !o.Nothing {
					t.Error("not at rest")
				}
				r.noLeftovers()
			})
		})
	}
}

// What lies in a folder of the user that may not be written to fails to be restored, and the folder stays closed.
func TestClosedFolderOfTheUser(t *testing.T) {
	ws := memfs.New()
	r := newRig(t, ws, cache.Options{})
	task := folders(cachetest.Tree{"/p/out/c/a": cachetest.File("a", 0o644)})
	r.put(task, task.Key())
	must(t, cachetest.Tree{"/p/out/c": cachetest.Dir(0o555)}.Write(ws))
	if o := r.hit(task, task.Key()); o.Err != nil { // memory forbids nothing
		t.Fatal(o.Err)
	}
	if got := r.tree()["/p/out/c"]; got != cachetest.Dir(0o555) {
		t.Errorf("the folder is %v", got)
	}
}

// An entry may name no folder that the task has no business with.
func TestFoldersThatNoPatternAllows(t *testing.T) {
	for path, allowed := range map[string]bool{
		"/p/out": true, "/p/gen": true, "/p/gen/one": true, "/p": false, "/p/lit": true, "/p/lit2": false, "/p/gen/two": false, "/p/src": false,
		"/p/out/.git": true, "/p/gen/one/y": false,
	} {
		r := newRig(t, memfs.New(), cache.Options{})
		task := folders(cachetest.Tree{"/p/gen/one/x": cachetest.File("x", 0o644), "/p/lit/file": cachetest.File("f", 0o644), path: cachetest.Dir(0o700)})
		r.put(task, task.Key())
		o := r.hit(task, task.Key())
		var e *cache.RestoreError
		if refused := errors.As(o.Err, &e) && e.Damaged; refused == allowed {
			t.Errorf("%s: %v, allowed: %v", path, o.Err, allowed)
		}
	}
}
