package faultfs_test

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
)

var fixed = time.Unix(1e9, 0)

// durable replaces a file as a careful program does.
func durable(f fsys.FS) error {
	w, err := f.OpenFile("/d/tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if _, err := w.WriteString("new bytes"); err != nil {
		return errors.Join(err, w.Close())
	}
	if err := w.Sync(); err != nil {
		return errors.Join(err, w.Close())
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := f.Rename("/d/tmp", "/d/x"); err != nil {
		return err
	}
	d, err := f.Open("/d")
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Every power cut leaves the old or the new file, whole; after the end, the new one.
func TestCrashAt(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(20) {
		for k := 0; ; k++ {
			f := faultfs.CrashAt(small(t), k, seed)
			err := durable(f)
			got := content(t, f.Survivor(), "/d/x")
			if !f.Crashed() {
				must(t, err)
				if got != "new bytes" || k != 5 {
					t.Errorf("after the end, %d changes: %q", k, got)
				}
				break
			}
			if !errors.Is(err, faultfs.ErrCrashed) {
				t.Errorf("seed %d, power cut %d: %v", seed, k, err)
			}
			if got != "old" && got != "new bytes" {
				t.Errorf("seed %d, power cut %d: %q", seed, k, got)
			}
			if f.Injected().Total() != 1 {
				t.Errorf("seed %d, power cut %d:\n%v", seed, k, f.Injected())
			}
			seen[got]++
		}
	}
	if seen["old"] == 0 || seen["new bytes"] == 0 {
		t.Errorf("only %v", seen)
	}
}

// A program that forgets to sync the bytes is caught.
func TestCrashFindsMissingSync(t *testing.T) {
	bad := map[string]bool{}
	for seed := range uint64(50) {
		for k := 0; ; k++ {
			f := faultfs.CrashAt(small(t), k, seed)
			_ = replace(f)
			if got := content(t, f.Survivor(), "/d/x"); got != "old" && got != "new bytes" {
				bad[got] = true
			}
			if !f.Crashed() {
				break
			}
		}
	}
	if !bad[""] || len(bad) < 3 {
		t.Errorf("half-written files that came out: %v", bad)
	}
}

func TestAfterTheCrash(t *testing.T) {
	m := small(t)
	f := faultfs.CrashAt(m, 1, 3)
	s, err := f.Sub("/d")
	must(t, err)
	w, err := s.Create("/y")
	must(t, err)
	if err := f.Mkdir("/e", 0o755); !errors.Is(err, faultfs.ErrCrashed) {
		t.Fatalf("the cut itself: %v", err)
	}
	before := tree(t, m)
	survivor := tree(t, f.Survivor())
	for name, do := range map[string]func() error{
		"lstat":  func() error { _, err := s.Lstat("/x"); return err },
		"rename": func() error { return f.Rename("/d/x", "/d/z") },
		"write":  func() error { _, err := w.Write([]byte("a")); return err },
		"seek":   func() error { _, err := w.Seek(0, 0); return err },
		"sync":   func() error { return w.Sync() },
		"close":  func() error { return w.Close() },
		"lock":   func() error { _, err := fsys.TryLock(f, "/l", fsys.Shared); return err },
		"sub":    func() error { _, err := f.Sub("/d"); return err },
	} {
		if err := do(); !errors.Is(err, faultfs.ErrCrashed) {
			t.Errorf("%s after the power cut: %v", name, err)
		}
	}
	if after := tree(t, m); after != before {
		t.Errorf("the dead machine wrote:\n%s\n\n%s", before, after)
	}
	if again := tree(t, f.Survivor()); again != survivor {
		t.Errorf("two survivors of one seed:\n%s\n\n%s", survivor, again)
	}
	if n := f.Count(nil); n != 3 {
		t.Errorf("%d calls, those after the end must not count", n)
	}
	must(t, f.Survivor().Mkdir("/works", 0o755))

	trees := map[string]bool{}
	for seed := range uint64(50) {
		trees[tree(t, f.SurvivorOf(seed))] = true
	}
	if len(trees) < 3 {
		t.Errorf("all seeds agree: %v", trees)
	}
}

// On the real disk, and for what cannot record, a cut is the death of the program: all done so far stays.
func TestCrashOnHost(t *testing.T) {
	h, err := fsys.Host(t.TempDir())
	must(t, err)
	defer h.Close()
	must(t, h.Mkdir("/d", 0o755))
	f := faultfs.New(h, 0, faultfs.Rule{At: 0, Do: faultfs.Cut, Match: faultfs.Is(faultfs.OpRename)})
	if err := replace(f); !errors.Is(err, faultfs.ErrCrashed) {
		t.Errorf("error: %v", err)
	}
	if f.Survivor() != nil {
		t.Error("the host has a survivor")
	}
	if got := tree(t, h); !strings.Contains(got, `"new bytes"`) {
		t.Errorf("what was written before is gone:\n%s", got)
	}
}

// Rules count on their own, the first that hits decides.
func TestRulesTogether(t *testing.T) {
	m := small(t)
	f := faultfs.New(m, 0,
		faultfs.Rule{Match: faultfs.Is(faultfs.OpLstat), At: 1, Errs: []error{syscall.EACCES}},
		faultfs.Rule{Match: faultfs.Is(faultfs.OpLstat), At: 1, Sticky: true},
		faultfs.Rule{Match: faultfs.Is(faultfs.OpList), At: 0, Errs: []error{syscall.EMFILE}},
	)
	want := []error{nil, syscall.EACCES, syscall.EIO, syscall.EIO}
	for i, w := range want {
		if _, err := f.Lstat("/d"); !errors.Is(err, w) {
			t.Errorf("lstat %d: %v, want %v", i, err, w)
		}
	}
	if _, err := f.List("/d"); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("list: %v", err)
	}
	if _, err := f.List("/d"); err != nil {
		t.Error(err)
	}
}
