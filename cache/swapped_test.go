package cache_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

// swapping makes a folder of a workspace a link to another folder at some calls, and a folder again at others.
type swapping struct {
	mem   *memfs.FS
	dir   string
	at    func(call int) bool // whether it is to be swapped before that call
	calls int
	last  int // the last call before which it was swapped
	err   error
}

func (s *swapping) count(faultfs.Call) bool {
	if s.at(s.calls) && s.err == nil {
		s.last = s.calls
		if info, err := s.mem.Lstat(s.dir); err == nil && info.Kind == fsys.Link {
			if s.err = s.mem.Remove(s.dir); s.err == nil {
				s.err = s.mem.Rename("/away", s.dir)
			}
		} else if s.err = s.mem.Rename(s.dir, "/away"); s.err == nil {
			s.err = s.mem.Symlink("/q", s.dir)
		}
	}
	s.calls++
	return false
}

// swapCase is a workspace with old outputs and files of the user that bear the names of outputs, in a folder of their own.
type swapCase struct {
	base    *memfs.FS
	task    *cachetest.Task
	victims cachetest.Tree
	looking int // calls before the restore itself
}

func newSwapCase(t *testing.T, pattern string) *swapCase {
	task := &cachetest.Task{Name: "p:t", Patterns: []string{pattern}, Outputs: cachetest.Tree{
		"/p/out/a": cachetest.File("new a", 0o644), "/p/out/sub/b": cachetest.File("new b", 0o755),
		"/p/out/sub/l": cachetest.Link("b"), "/p/out/sub/empty": cachetest.Dir(0o750)}}
	older := &cachetest.Task{Name: "p:t", Patterns: task.Patterns, Outputs: cachetest.Tree{
		"/p/out/a": cachetest.File("old a", 0o644), "/p/out/stale": cachetest.File("stale", 0o644), "/p/out/sub/stale": cachetest.File("stale", 0o644)}}
	c := &swapCase{base: memfs.New(), task: task, victims: cachetest.Tree{}}
	for _, name := range []string{"/q/a", "/q/stale", "/q/b", "/q/sub/b", "/q/sub/stale", "/q/empty/keep"} {
		c.victims[name] = cachetest.File("mine", 0o600)
	}
	r := newRig(t, c.base, cache.Options{})
	r.put(task, task.Key())
	r.put(older, older.Key("older"))
	r.mustHit(older, older.Key("older")) // so that it lies there and in the product list
	must(t, c.victims.Write(c.base))
	counted := faultfs.New(c.base.Clone(), 1)
	look := newRig(t, counted, cache.Options{})
	m, miss := look.store.Lookup(task.Key())
	if miss != nil {
		t.Fatal(miss)
	}
	_, err := look.store.Compare(bg, m, task.Target(counted, look.state))
	must(t, err)
	c.looking = counted.Count(nil)
	return c
}

// restore runs a hit while dir is swapped, and says whether it succeeded.
func (c *swapCase) restore(t *testing.T, dir, what string, at func(call int) bool) (s *swapping, hit bool) {
	t.Helper()
	s = &swapping{mem: c.base.Clone(), dir: dir, at: at, last: -1}
	r := newRig(t, faultfs.New(s.mem, 1, faultfs.Rule{Match: s.count}), cache.Options{})
	o := r.hit(c.task, c.task.Key())
	must(t, s.err)
	if o.Err == nil && o.Miss == nil {
		hit = true
	}
	return s, hit
}

func (c *swapCase) look(t *testing.T, mem *memfs.FS) cachetest.Tree {
	tree, err := cachetest.Look(mem, layout.Dir)
	must(t, err)
	return tree
}

func (c *swapCase) requireUntouched(t *testing.T, mem *memfs.FS, what string) {
	t.Helper()
	tree := c.look(t, mem)
	if d := cachetest.Missing(tree, c.victims); d != "" {
		t.Errorf("%s: not declared, but changed: %s", what, d)
	}
	for path, item := range tree {
		if _, mine := c.victims[path]; !mine && strings.HasPrefix(path, "/q/") && item.Kind != fsys.Dir {
			t.Errorf("%s: %s was made", what, path)
		}
	}
}

// 7.5; S-38: below the fixed prefix no link is followed, also not one that takes the place of a folder while a hit is restored, at
// whichever call and for however long: nothing is written, renamed or removed where it leads.
func TestFolderSwappedForLink(t *testing.T) {
	c := newSwapCase(t, "/p/**")
	hits := 0
	for _, dir := range []string{"/p/out", "/p/out/sub"} {
		for _, calls := range []int{1, 2, 5, 1 << 30} {
			for k := 0; !t.Failed(); k++ {
				what := fmt.Sprintf("%s is a link for %d calls from the %dth on", dir, calls, k)
				s, hit := c.restore(t, dir, what, func(call int) bool { return call == k || call == k+calls })
				c.requireUntouched(t, s.mem, what)
				if hit {
					hits++
				}
				// What is swapped later may be swapped after the last look.
				if d := cachetest.Missing(c.look(t, s.mem), c.task.Outputs); hit && d != "" && s.last < c.looking {
					t.Errorf("%s: a hit without its outputs: %s", what, d)
				}
				if k >= s.calls {
					break
				}
			}
		}
	}
	if hits == 0 {
		t.Error("no restore succeeded, so nothing was tried")
	}
}

// A link within the fixed prefix may be gone through, but only one that stays what it was from the first look to the end:
// else all is undone.
func TestPrefixSwappedForLink(t *testing.T) {
	c := newSwapCase(t, "/p/out/**")
	for every := 1; every < 200 && !t.Failed(); every++ {
		for k := 0; k < every && k < 40; k++ {
			what := fmt.Sprintf("/p/out is swapped every %d calls from the %dth on", every, k)
			s, _ := c.restore(t, "/p/out", what, func(call int) bool { return call >= k && (call-k)%every == 0 })
			if s.last > c.looking && s.calls-s.last > 12 {
				c.requireUntouched(t, s.mem, what)
			}
		}
	}
}
