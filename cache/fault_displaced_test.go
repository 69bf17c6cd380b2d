package cache_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// byHand is what somebody has put where a restore of present needs the room.
var byHand = cachetest.Tree{
	"/p/out/differs": cachetest.File("edited by hand", 0o640),
	"/p/out/link":    cachetest.File("a file for a link", 0o644),
	"/p/out/new/a":   cachetest.File("new by hand", 0o600),
	"/p/out/new/b":   cachetest.Link("nowhere"),
}

// displaceOperation restores over things of the user: wherever the fault is, each of them is in its place or kept.
func displaceOperation(t testing.TB) cachetest.Operation {
	base := world(t)
	must(t, byHand.Write(base))
	base.Advance(time.Minute)
	task := present()
	k := task.Key("out\n")
	before := lookAt(t, base)
	return cachetest.Operation{
		Name:    "displace",
		Prepare: base.Clone,
		Run: func(ctx context.Context, fsy fsys.FS) any {
			s, st := openOn(fsy, cachetest.Epoch.Add(2*time.Hour))
			defer s.Close()
			o := cachetest.Hit(ctx, s, k, task.Target(fsy, st))
			s.Finish()
			st.Flush()
			return o
		},
		Check: func(t testing.TB, f cachetest.Fault, after *memfs.FS, result any) {
			o := result.(cachetest.Outcome)
			got := lookAt(t, after)
			switch {
			case f.Cut:
			case o.Miss == nil && o.Err == nil:
				requireRestored(t, got, task)
				// What cannot be read right now may be the user's, and is kept as well.
				if n := len(o.Restored.Kept); n < len(byHand) || n > len(byHand)+1 {
					t.Errorf("kept: %v", o.Restored.Kept)
				}
			case !f.Sticky:
				if d := cachetest.Diff(got, before); d != "" {
					t.Errorf("restore said %v, %v, but the tree is not as it was:\n%s", o.Miss, o.Err, d)
				}
			}
			requireKept(t, f, after, byHand)
			requireSaid(t, f, after, before)
			requireRecovery(t, after, task, k)
			requireSwept(t, f, after)
			requireKept(t, f, after, byHand)
		},
	}
}

// requireKept demands of each thing that it is in its place, or displaced and listed.
func requireKept(t testing.TB, f cachetest.Fault, mem *memfs.FS, things cachetest.Tree) {
	t.Helper()
	got := lookAt(t, mem)
	s := cachetest.Open(mem, cache.Options{})
	defer s.Close()
	info, err := s.Info(bg)
	must(t, err)
	for path, item := range things {
		if got[path] == item {
			continue
		}
		if !slices.ContainsFunc(info.Displaced, func(k cache.Kept) bool {
			in, err := cachetest.Look(mem)
			must(t, err)
			return k.Task == "p:gen" && k.Path == path && in[k.At] == item
		}) {
			t.Errorf("%s is lost; kept: %v", path, info.Displaced)
		}
	}
}

// takeAwayOperation takes what a task made before out of the tree, and then puts it back or drops it.
func takeAwayOperation(t testing.TB, putBack bool) cachetest.Operation {
	base := world(t)
	task := earlier()
	before := lookAt(t, base)
	name := "take away and drop"
	if putBack {
		name = "take away and put back"
	}
	return cachetest.Operation{
		Name:    name,
		Prepare: base.Clone,
		Run: func(ctx context.Context, fsy fsys.FS) any {
			s, st := openOn(fsy, cachetest.Epoch.Add(2*time.Hour))
			defer s.Close()
			taken, err := s.TakeAway(ctx, task.Key("next"), task.Target(fsy, st))
			if putBack {
				taken.PutBack(nil)
			}
			taken.Drop()
			s.Finish()
			st.Flush()
			return err
		},
		Check: func(t testing.TB, f cachetest.Fault, after *memfs.FS, result any) {
			got := lookAt(t, after)
			if d := cachetest.Missing(got, users); d != "" {
				t.Errorf("files of the user:\n%s", d)
			}
			err, _ := result.(error)
			switch {
			case f.Cut, f.Sticky, putBack:
				requireNeverHalf(t, got, before, nil)
			case err != nil:
				if d := cachetest.Diff(got, before); d != "" {
					t.Errorf("it said %v, but the tree is not as it was:\n%s", err, d)
				}
				if _, st := openOn(after, cachetest.Epoch.Add(3*time.Hour)); st.Products(task.Name).Unfinished {
					t.Errorf("it said %v, all was put back, and the product list says that it is not there", err)
				}
			case cachetest.Diff(got, before) == "": // without a product list nothing is known, and all stays
			default:
				for path := range task.Outputs {
					if _, there := got[path]; there {
						t.Errorf("still there: %s", path)
					}
				}
			}
			requireSaid(t, f, after, before)
			requireSwept(t, f, after)
		},
	}
}

// requireSaid demands of a haz that got no further, as if it had been killed, that the product list does not go on saying that all is there when
// something that it lists is not: others count on it (S-36).
func requireSaid(t testing.TB, f cachetest.Fault, mem *memfs.FS, before cachetest.Tree) {
	t.Helper()
	if !f.Sticky || f.What == "short" { // which stops no rename
		return
	}
	task := earlier()
	s, st := openOn(mem, cachetest.Epoch.Add(3*time.Hour))
	defer s.Close()
	l := st.Products(task.Name)
	if l.Unfinished || l.Running || l.Key != task.Key("") {
		return
	}
	got := lookAt(t, mem)
	for path, item := range task.Outputs {
		if before[path] == item && got[path] != item {
			t.Errorf("nothing says that %s is not there", path)
		}
	}
}

// S-42, S-43: the same campaigns for what gives way to a hit, and for what is taken away before a task runs.
func TestFaultsOfDisplacing(t *testing.T) {
	errs := cachetest.Errors
	if !long() {
		errs = errs[:1]
	}
	for _, op := range []cachetest.Operation{displaceOperation(t), takeAwayOperation(t, false), takeAwayOperation(t, true)} {
		t.Run(strings.ReplaceAll(op.Name, " ", "_"), func(t *testing.T) {
			y := op.Campaign(t, errs, pick(1, 60))
			t.Logf("%s: %d faults, %d power cuts, %d cancellations", op.Name, y.Faults.Total(), y.Cuts, y.Cancelled)
			if y.Faults.Total() == 0 || y.Cuts == 0 {
				t.Error("nothing was injected")
			}
		})
	}
}
