package cache_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
)

// smallOnes has n small outputs in two folders.
func smallOnes(n int) *cachetest.Task {
	task := &cachetest.Task{Name: "p:t", Patterns: []string{"/p/out/**"}, Outputs: cachetest.Tree{}}
	for i := range n {
		task.Outputs[fmt.Sprintf("/p/out/%d/f%d", i%2, i)] = cachetest.File(fmt.Sprint("bytes ", i), 0o644)
	}
	return task
}

// S-59: a small result needs no staging: its files get their names where they lie, each in one step, when they are whole. So where its folder is there, and
// where folders have to be made.
func TestUnnamedNeedNoStaging(t *testing.T) {
	for _, folders := range []bool{true, false} {
		mem := memfs.New()
		task := smallOnes(3)
		r := newRig(t, mem, cache.Options{})
		r.put(task, task.Key())
		if !folders {
			must(t, mem.RemoveAll("/p"))
		}
		ff := faultfs.New(mem, 0)
		faulty := newRig(t, ff, cache.Options{})
		faulty.mustHit(task, task.Key())
		named := 0
		for _, c := range ff.Calls() {
			if strings.Contains(c.Name+c.New, "/restore-") || c.Op == faultfs.OpRename {
				t.Errorf("folders there: %v: %v", folders, c)
			}
			if c.Op == faultfs.OpLink {
				named++
			}
		}
		if named != 3 {
			t.Errorf("folders there: %v: %d files were named", folders, named)
		}
		faulty.noLeftovers()
	}
}

// S-59: what is open is bounded, and the rest is staged.
func TestUnnamedAreFew(t *testing.T) {
	const most = 32
	mem := memfs.New()
	task := smallOnes(100)
	newRig(t, mem, cache.Options{}).put(task, task.Key())
	ff := faultfs.New(mem, 0)
	r := newRig(t, ff, cache.Options{})
	r.mustHit(task, task.Key())
	open, atOnce := 0, 0
	for _, c := range ff.Calls() {
		if !strings.HasPrefix(c.Name, "/p/out/") || strings.Contains(c.Name, "/f") { // they go by their folder
			continue
		}
		switch c.Op {
		case faultfs.OpOpenWrite:
			open++
		case faultfs.OpClose:
			open--
		}
		atOnce = max(atOnce, open)
	}
	if atOnce != most || open != 0 {
		t.Errorf("%d were open at once, and %d in the end", atOnce, open)
	}
	r.store.Finish()
	r.noLeftovers()
}

// S-59: what somebody puts in the place of an output after the tree was compared gives way as what lay there before does: it is kept.
func TestSomethingAppearsAtAnOutput(t *testing.T) {
	mem := memfs.New()
	task := smallOnes(1)
	newRig(t, mem, cache.Options{}).put(task, task.Key())
	appeared := false
	ff := faultfs.New(mem, 0, faultfs.Rule{Match: func(c faultfs.Call) bool {
		if c.Op == faultfs.OpLink && !appeared {
			appeared = true
			must(t, cachetest.WriteFile(mem, "/p/out/0/f0", "mine", 0o600))
		}
		return false
	}})
	r := newRig(t, ff, cache.Options{})
	o := r.mustHit(task, task.Key())
	if !appeared || len(o.Restored.Kept) != 1 || o.Restored.Kept[0].Path != "/p/out/0/f0" {
		t.Fatalf("appeared: %v; kept: %v", appeared, o.Restored.Kept)
	}
	if data, _, err := mem.ReadFile(o.Restored.Kept[0].At, 0); err != nil || string(data) != "mine" {
		t.Errorf("kept: %q, %v", data, err)
	}
}

// S-59: a restore that ends early leaves nothing open.
func TestFailedRestoreClosesAll(t *testing.T) {
	open := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(list)
	}
	ws := disk(t)
	task := smallOnes(8)
	task.Outputs["/p/out/0/big"] = cachetest.File(big, 0o644) // so that blobs are files
	r := newRig(t, ws, cache.Options{})
	r.put(task, task.Key())
	last := task.Outputs["/p/out/1/f7"]
	blob := entryDir(task.Key()) + "/outputs/" + hasher.Sum(fn, []byte(last.Text)).Hex()
	must(t, ws.Remove(blob))
	must(t, cachetest.WriteFile(ws, blob, strings.Repeat("x", len(last.Text)), 0o400))
	before := open()
	o := r.hit(task, task.Key())
	if o.Err == nil {
		t.Fatal("a damaged blob was restored")
	}
	if after := open(); after > before {
		t.Errorf("%d descriptors became %d", before, after)
	}
	if left := r.tree(); len(left) > 4 {
		t.Errorf("left in the tree: %v", left)
	}
}

// S-59: where there are no such files, or one cannot be given its name, all is as it was without them.
func TestWithoutUnnamed(t *testing.T) {
	for what, rule := range map[string]faultfs.Rule{
		"none are made":       {Match: func(c faultfs.Call) bool { return c.Op == faultfs.OpOpenWrite && strings.HasPrefix(c.Name, "/p/out/") }, Sticky: true, Errs: []error{fsys.ErrNotRegular}},
		"none gets a name":    {Match: faultfs.Is(faultfs.OpLink), Sticky: true, Errs: []error{os.ErrPermission}},
		"another file system": {Match: faultfs.Is(faultfs.OpLink), Sticky: true, Errs: []error{syscall.EXDEV}},
	} {
		mem := memfs.New()
		task := smallOnes(3)
		newRig(t, mem, cache.Options{}).put(task, task.Key())
		must(t, cachetest.WriteFile(mem, "/p/out/0/f0", "mine", 0o600))
		ff := faultfs.New(mem, 0, rule)
		r := newRig(t, ff, cache.Options{})
		o := r.mustHit(task, task.Key())
		r.onlyThese(task.Outputs)
		if len(o.Restored.Kept) != 1 {
			t.Errorf("%s: kept: %v", what, o.Restored.Kept)
		} else if data, _, err := mem.ReadFile(o.Restored.Kept[0].At, 0); err != nil || string(data) != "mine" {
			t.Errorf("%s: kept: %q, %v", what, data, err)
		}
		if ff.Injected().Total() == 0 {
			t.Errorf("%s: it was not tried", what)
		}
		r.noLeftovers()
	}
}
