package cache_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/housekeeping"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

func cleanOperation(t testing.TB) cachetest.Operation {
	base := world(t)
	before := lookAt(t, base)
	keep, old, bad := present().Key("out\n"), earlier().Key(""), present().Key("bad")
	s, _ := openOn(base, cachetest.Epoch)
	must(t, base.RemoveAll("/p"))
	must(t, present().Outputs.Write(base))
	q := present().Request(fn, bad)
	if _, err := cachetest.Store(bg, s, q); err != nil {
		t.Fatal(err)
	}
	must(t, base.Remove(entryDir(bad)+"/manifest.json"))
	q = present().Request(fn, present().Key("aged"))
	q.CreatedAt -= 7200
	if _, err := cachetest.Store(bg, s, q); err != nil {
		t.Fatal(err)
	}
	must(t, base.RemoveAll("/p"))
	must(t, before.Write(base))
	must(t, cachetest.Tree{
		keyed("/.haz/cache/aa/.tmp-", dead) + "/lock":    cachetest.File("", 0o600),
		keyed("/.haz/cache/aa/.tmp-", dead) + "/stdout":  cachetest.File("x", 0o600),
		keyed("/.haz/cache/.damaged/", dead) + "/stdout": cachetest.File("x", 0o600),
		keyed("/.haz/state/restore-", dead) + "/lock":    cachetest.File("", 0o600),
		keyed("/.haz/state/restore-", dead) + "/places":  cachetest.File("/p/.haz-restore-0011223344556677\n", 0o600),
		"/p/.haz-restore-0011223344556677/00000001":      cachetest.File("half", 0o600),
		numbered("/.haz/state/trash-", dead) + "/x":      cachetest.File("x", 0o600),
	}.Write(base))
	limit := int64(150_000) // room for one of the two
	age := time.Hour
	return cachetest.Operation{
		Name:    "clean",
		Prepare: base.Clone,
		Run: func(ctx context.Context, fsy fsys.FS) any {
			s, _ := openOn(fsy, cachetest.Epoch)
			defer s.Close()
			report, err := s.Clean(ctx, cache.CleanOptions{Soft: true, MaxAge: &age, MaxSize: &limit})
			return cleaned{report, err}
		},
		Check: func(t testing.TB, f cachetest.Fault, after *memfs.FS, result any) {
			got := lookAt(t, after)
			for path := range got {
				if strings.Contains(path, "/.haz-restore-") {
					delete(got, path)
				}
			}
			if d := cachetest.Diff(got, before); d != "" {
				t.Errorf("clean has changed the tree:\n%s", d)
			}
			r := result.(cleaned)
			kept := requireWholeOrMiss(t, after, present(), keep)
			if !kept && !f.Cut {
				t.Error("an entry that nothing named is gone")
			}
			aged := requireWholeOrMiss(t, after, present(), present().Key("aged"))
			if r.err == nil && len(r.report.Failures) == 0 && !f.Cut {
				if aged {
					t.Errorf("reported no failure, but the old entry is there: %+v", r.report)
				}
				if r.report.Evicted[housekeeping.PassMaxAge] != 1 || r.report.Evicted[housekeeping.PassSoft] != 2 {
					t.Errorf("report %+v", r.report)
				}
			}
			requireWholeOrMiss(t, after, earlier(), old)
			requireSwept(t, f, after)
		},
	}
}

func clearOperation(t testing.TB) cachetest.Operation {
	base := world(t)
	before := lookAt(t, base)
	return cachetest.Operation{
		Name:    "clear",
		Prepare: base.Clone,
		Run: func(ctx context.Context, fsy fsys.FS) any {
			s, _ := openOn(fsy, cachetest.Epoch)
			defer s.Close()
			return s.Clear(ctx)
		},
		Check: func(t testing.TB, f cachetest.Fault, after *memfs.FS, result any) {
			if d := cachetest.Diff(lookAt(t, after), before); d != "" {
				t.Errorf("clear has changed the tree:\n%s", d)
			}
			a := requireWholeOrMiss(t, after, present(), present().Key("out\n"))
			b := requireWholeOrMiss(t, after, earlier(), earlier().Key(""))
			if result == nil && (a || b) && !f.Cut {
				t.Error("said to be cleared, but an entry is there")
			}
			requireSwept(t, f, after)
		},
	}
}

func sweepOperation(t testing.TB) cachetest.Operation {
	op := cleanOperation(t)
	base := op.Prepare()
	before := lookAt(t, base)
	op.Name = "sweep"
	op.Run = func(ctx context.Context, fsy fsys.FS) any {
		s, _ := openOn(fsy, cachetest.Epoch.Add(24*time.Hour))
		defer s.Close()
		limit := int64(10)
		s.Info(ctx)
		return s.Sweep(ctx, cache.SweepOptions{MaxSize: &limit})
	}
	op.Check = func(t testing.TB, f cachetest.Fault, after *memfs.FS, result any) {
		if d := cachetest.Missing(lookAt(t, after), without(before, "/p/.haz-restore-")); d != "" {
			t.Errorf("a sweep has changed the tree:\n%s", d)
		}
		for _, word := range []string{"out\n", "aged"} {
			if !requireWholeOrMiss(t, after, present(), present().Key(word)) && !f.Cut {
				t.Error("a sweep has lost an entry")
			}
		}
		requireSwept(t, f, after)
	}
	return op
}
