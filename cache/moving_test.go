package cache_test

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
)

// restless is a file system on which somebody writes a file while it is being read.
type restless struct {
	fsys.FS
	path    string
	then    func()
	noClone bool
}

func (r restless) OpenNoFollow(name string) (afero.File, error) {
	f, err := r.FS.OpenNoFollow(name)
	if err != nil || name != r.path {
		return f, err
	}
	return &restlessFile{f, r.then}, nil
}

func (r restless) CloneFile(src, dst string, perm fs.FileMode) error {
	if r.noClone {
		return errors.ErrUnsupported
	}
	err := r.FS.CloneFile(src, dst, perm)
	if src == r.path {
		r.then()
	}
	return err
}

type restlessFile struct {
	afero.File
	then func()
}

func (f *restlessFile) Info() (fsys.Info, error) { return fsys.FileInfo(f.File) }

func (f *restlessFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if f.then != nil {
		f.then()
		f.then = nil
	}
	return n, err
}

// 7.3 step 2: a file that is written to while it is copied is not stored, also when what was read is what was collected:
// something still has it in work.
func TestOutputMovesWhileStored(t *testing.T) {
	for _, noClone := range []bool{true, false} {
		for _, path := range []string{"/p/out/a", "/p/out/big"} {
			mem := memfs.New()
			task := sample()
			must(t, task.Outputs.Write(mem))
			ws := restless{FS: mem, path: path, noClone: noClone, then: func() {
				must(t, cachetest.WriteFile(mem, path, task.Outputs[path].Text, task.Outputs[path].Mode))
			}}
			r := newRig(t, ws, cache.Options{})
			if _, err := r.store.Stage(bg, task.Request(fn, task.Key())); err == nil || !strings.Contains(err.Error(), path+" changed while it was stored") {
				t.Errorf("%s: %v", path, err)
			}
			r.noLeftovers()
		}
	}
}

// An error of close may be the only word about bytes that never arrived: nothing is stored, nothing restored.
func TestCloseFails(t *testing.T) {
	blob := hasher.Sum(fn, []byte("hello\n")).Hex()
	for _, name := range []string{blob, "stdout", "manifest.json", "00000001", "out"} { // the last is said of files without a name
		restores := name == "00000001" || name == "out"
		mem := memfs.New()
		mem.SetUnnamed(name == "out")
		task := sample()
		healthy := newRig(t, mem, cache.Options{})
		ff := faultfs.New(mem, 0, faultfs.Rule{Errs: []error{syscall.EDQUOT}, Match: faultfs.All(faultfs.Is(faultfs.OpClose), func(c faultfs.Call) bool {
			return strings.HasSuffix(c.Name, "/"+name)
		})})
		r := newRig(t, ff, cache.Options{})
		if restores {
			healthy.put(task, task.Key())
			before := lookAt(t, mem)
			if o := r.hit(task, task.Key()); o.Err == nil || !strings.Contains(o.Err.Error(), "quota") {
				t.Errorf("%s: %+v", name, o)
			}
			if d := cachetest.Diff(lookAt(t, mem), before); d != "" {
				t.Errorf("%s: left in the tree: %s", name, d)
			}
			must(t, mem.RemoveAll("/p"))
		} else {
			must(t, task.Outputs.Write(mem))
			if _, err := cachetest.Store(bg, r.store, task.Request(fn, task.Key())); err == nil || !strings.Contains(err.Error(), "quota") {
				t.Errorf("%s: %v", name, err)
			}
			must(t, task.Outputs.Remove(mem))
		}
		if ff.Injected().Total() != 1 {
			t.Errorf("%s: %v", name, ff.Injected())
		}
		healthy.noLeftovers()
	}
}
