package cache_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/housekeeping"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

// many stores n entries: entry i was created i hours after the epoch and declares 1000 bytes.
func many(r *rig, n int) (tasks []*cachetest.Task, keys []entry.Key) {
	r.t.Helper()
	for i := range n {
		task := &cachetest.Task{Name: fmt.Sprintf("p:t%d", i), Patterns: []string{"/o"}, Stdout: strings.Repeat("o", 300), Stderr: strings.Repeat("e", 300),
			Outputs: cachetest.Tree{"/o": cachetest.File(strings.Repeat(fmt.Sprint(i), 400), 0o644)}}
		must(r.t, task.Outputs.Write(r.ws))
		q := task.Request(fn, task.Key())
		q.CreatedAt += int64(i) * 3600
		if _, err := cachetest.Store(bg, r.store, q); err != nil {
			r.t.Fatal(err)
		}
		must(r.t, task.Outputs.Remove(r.ws))
		tasks, keys = append(tasks, task), append(keys, task.Key())
	}
	return tasks, keys
}

func (r *rig) there(keys []entry.Key) (list []int) {
	for i, k := range keys {
		if _, miss := r.store.Explain(k); miss == nil {
			list = append(list, i)
		}
	}
	return list
}

func size(n int64) *int64                   { return &n }
func age(d time.Duration) *time.Duration    { return &d }
func counts(soft, age, size int) (n [3]int) { return [3]int{soft, age, size} }
func same(t *testing.T, what string, g, want any) {
	t.Helper()
	if d := cmp.Diff(want, g); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// Owners of leftovers, as digits that their names are made of.
const dead, living, lockless = "dead", "11fe", "10c4"

// keyed and numbered are names as haz gives them to what an owner is at work on.
func keyed(prefix, owner string) string {
	return prefix + strings.Repeat(owner, 16) + "-0123456789abcdef"
}
func numbered(prefix, owner string) string { return prefix + strings.Repeat(owner, 4) }

// setAside sets an entry aside as if it were damaged.
func (r *rig) setAside(k entry.Key) {
	r.t.Helper()
	m, miss := r.store.Explain(k)
	if miss != nil {
		r.t.Fatal(miss)
	}
	r.store.SetAside(k, "a test", m)
}

// litter adds everything that soft cleaning looks for: two bad entries, one of another hash function, one set aside, and
// leftovers of dead and of living owners.
func litter(r *rig) {
	r.t.Helper()
	bad := &cachetest.Task{Name: "p:bad", Patterns: []string{"/o"}}
	r.put(bad, bad.Key())
	must(r.t, r.ws.Remove(entryDir(bad.Key())+"/manifest.json"))
	foreign := newRig(r.t, r.ws, cache.Options{Hash: digest.SHA256})
	if _, err := cachetest.Store(bg, foreign.store, bad.Request(digest.SHA256, bad.Key("sha"))); err != nil {
		r.t.Fatal(err)
	}
	invalid := bad.Key("invalid")
	r.put(bad, invalid)
	must(r.t, cachetest.WriteFile(r.ws, entryDir(invalid)+"/manifest.json", "{}", 0o600))
	r.put(bad, bad.Key("aside"))
	r.setAside(bad.Key("aside"))
	tree := cachetest.Tree{}
	for _, prefix := range []string{"/.haz/cache/aa/.tmp-", "/.haz/state/restore-"} {
		for _, owner := range []string{dead, living} {
			tree[keyed(prefix, owner)+"/lock"] = cachetest.File("", 0o600)
			tree[keyed(prefix, owner)+"/stdout"] = cachetest.File("half", 0o600)
		}
		tree[keyed(prefix, lockless)+"/stdout"] = cachetest.File("half", 0o600)
	}
	tree[keyed("/.haz/state/restore-", dead)+"/places"] = cachetest.File("/q/.haz-restore-0123456789abcdef\n/q\n/q/../r/.haz-restore-0123456789abcdef\n/q/.haz-restore-1", 0o600)
	tree["/q/.haz-restore-0123456789abcdef/x"] = cachetest.File("half", 0o600)
	tree["/q/keep"] = cachetest.File("keep", 0o644)
	tree[numbered("/.haz/state/spool-", dead)+"/lock"] = cachetest.File("", 0o600)
	tree[numbered("/.haz/state/spool-", living)+"/lock"] = cachetest.File("", 0o600)
	tree[numbered("/.haz/state/trash-", dead)+"/x"] = cachetest.File("x", 0o600)
	tree[numbered("/.haz/cache/.trash-", dead)+"/stdout"] = cachetest.File("x", 0o600)
	must(r.t, tree.Write(r.ws))
	for path := range tree {
		if strings.Contains(path, living) && strings.HasSuffix(path, "/lock") {
			l, err := fsys.TryLock(r.ws, path, fsys.Exclusive)
			must(r.t, err)
			r.t.Cleanup(func() { l.Unlock() })
		}
	}
}

func requireLitterGone(r *rig) {
	r.t.Helper()
	all, err := cachetest.Look(r.ws)
	must(r.t, err)
	for _, path := range all.Paths() {
		if strings.Contains(path, numbered("", dead)) || strings.Contains(path, numbered("", lockless)) || strings.Contains(path, "/q/.haz-restore-") {
			r.t.Errorf("left: %s", path)
		}
	}
	for _, path := range []string{keyed("/.haz/cache/aa/.tmp-", living) + "/stdout", keyed("/.haz/state/restore-", living) + "/stdout",
		numbered("/.haz/state/spool-", living) + "/lock", "/q/keep"} {
		if _, there := all[path]; !there {
			r.t.Errorf("gone, though its owner lives: %s", path)
		}
	}
}

// CACHE-022, AUX-022..025: the three passes, alone and together.
func TestClean(t *testing.T) {
	tests := []struct {
		name   string
		o      cache.CleanOptions
		want   cache.CleanReport
		remain []int
	}{
		{"soft", cache.CleanOptions{Soft: true},
			cache.CleanReport{Inspected: 9, Evicted: counts(4, 0, 0), TmpDirs: 2, RestoreDirs: 2}, []int{0, 1, 2, 3, 4}},
		{"age", cache.CleanOptions{MaxAge: age(8 * time.Hour)}, // now is 10 h after the epoch
			cache.CleanReport{Inspected: 9, Evicted: counts(0, 2, 0), Bytes: 2000}, []int{2, 3, 4}},
		{"age 0", cache.CleanOptions{MaxAge: age(0)},
			cache.CleanReport{Inspected: 9, Evicted: counts(0, 5, 0), Bytes: 5000}, nil},
		{"age beyond time", cache.CleanOptions{MaxAge: age(1 << 62)},
			cache.CleanReport{Inspected: 9}, []int{0, 1, 2, 3, 4}},
		{"size", cache.CleanOptions{MaxSize: size(2999)},
			cache.CleanReport{Inspected: 9, Evicted: counts(0, 0, 3), Bytes: 3000}, []int{3, 4}},
		{"size exactly", cache.CleanOptions{MaxSize: size(3000)},
			cache.CleanReport{Inspected: 9, Evicted: counts(0, 0, 2), Bytes: 2000}, []int{2, 3, 4}},
		{"size 0", cache.CleanOptions{MaxSize: size(0)},
			cache.CleanReport{Inspected: 9, Evicted: counts(0, 0, 5), Bytes: 5000}, nil},
		{"all", cache.CleanOptions{Soft: true, MaxAge: age(8 * time.Hour), MaxSize: size(2000)},
			cache.CleanReport{Inspected: 9, Evicted: counts(4, 2, 1), TmpDirs: 2, RestoreDirs: 2, Bytes: 3000}, []int{3, 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, ws fsys.FS) {
				r := newRig(t, ws, cache.Options{})
				_, keys := many(r, 5)
				litter(r)
				r.now = cachetest.Epoch.Add(10 * time.Hour)

				before, err := cachetest.Look(ws)
				must(t, err)
				dry := tt.o
				dry.DryRun = true
				dried, err := r.store.Clean(bg, dry)
				must(t, err)
				after, err := cachetest.Look(ws)
				must(t, err)
				same(t, "AUX-024: a dry run touches nothing", after, before)
				if n := tt.want.Evicted[0] + tt.want.Evicted[1] + tt.want.Evicted[2]; len(dried.Items) != n {
					t.Errorf("%d items, want %d", len(dried.Items), n)
				}
				dried.Items, dried.DryRun = nil, false
				same(t, "the report of a dry run", *dried, tt.want)

				got, err := r.store.Clean(bg, tt.o)
				must(t, err)
				same(t, "report", *got, tt.want)
				same(t, "entries", r.there(keys), tt.remain)
				if tt.o.Soft {
					requireLitterGone(r)
				}
			})
		})
	}
}

// The items of a dry run: sorted by pass, creation time and key (AUX-024).
func TestCleanPlan(t *testing.T) {
	r := newRig(t, memfs.New(), cache.Options{})
	_, keys := many(r, 4)
	bad := &cachetest.Task{Name: "p:bad", Patterns: []string{"/o"}, Stdout: "12345"}
	r.put(bad, bad.Key())
	r.setAside(bad.Key())
	r.now = cachetest.Epoch.Add(10 * time.Hour)
	got, err := r.store.Clean(bg, cache.CleanOptions{Soft: true, MaxAge: age(9 * time.Hour), MaxSize: size(1500), DryRun: true})
	must(t, err)
	at := cachetest.Epoch.Unix()
	want := []cache.CleanItem{
		{Key: bad.Key().Hex(), CreatedAt: at, Footprint: 5, Pass: housekeeping.PassSoft},
		{Key: keys[0].Hex(), CreatedAt: at, Footprint: 1000, Pass: housekeeping.PassMaxAge},
		{Key: keys[1].Hex(), CreatedAt: at + 3600, Footprint: 1000, Pass: housekeeping.PassMaxSize},
		{Key: keys[2].Hex(), CreatedAt: at + 7200, Footprint: 1000, Pass: housekeeping.PassMaxSize},
	}
	same(t, "items", got.Items, want)
	if s := want[1].Short() + " " + want[1].Pass.String(); s != keys[0].Short()+" --max-age" {
		t.Error(s)
	}
}

// Least recently used first: a hit protects, ties go by key.
func TestCleanLeastRecentlyUsed(t *testing.T) {
	r := newRig(t, memfs.New(), cache.Options{})
	tasks, keys := many(r, 4)
	r.now = cachetest.Epoch.Add(10 * time.Hour)
	r.mustHit(tasks[0], keys[0])
	must(t, tasks[0].Outputs.Remove(r.ws))
	if _, err := r.store.Clean(bg, cache.CleanOptions{MaxSize: size(2000)}); err != nil {
		t.Fatal(err)
	}
	same(t, "entries", r.there(keys), []int{0, 3})
}

func TestCleanNoMode(t *testing.T) {
	r := newRig(t, memfs.New(), cache.Options{})
	if _, err := r.store.Clean(bg, cache.CleanOptions{DryRun: true}); !errors.Is(err, cache.ErrNoCleanMode) {
		t.Error(err)
	}
}

// AUX-017..021 and the empty cases: an absent root is all zeros, but restore leftovers count all the same.
func TestInfo(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		root := ws.HostPath(layout.CacheDir)
		got, err := r.store.Info(bg)
		must(t, err)
		same(t, "absent", *got, cache.InfoReport{Root: root})
		rep, err := r.store.Clean(bg, cache.CleanOptions{Soft: true})
		must(t, err)
		same(t, "clean of an absent cache", *rep, cache.CleanReport{})
		must(t, r.store.Clear(bg))
		if _, err := ws.Lstat(layout.Dir); err == nil {
			t.Error("looking has made .haz")
		}

		many(r, 5)
		r.put(sample(), sample().Key()) // too big to be packed
		litter(r)
		before, err := cachetest.Look(ws)
		must(t, err)
		got, err = r.store.Info(bg)
		must(t, err)
		after, err := cachetest.Look(ws)
		must(t, err)
		same(t, "info changes nothing", after, before)
		bytes := int64(0)
		for path, item := range before {
			if strings.HasPrefix(path, "/.haz/cache/") && item.Kind == fsys.File {
				bytes += int64(len(item.Text))
			}
		}
		same(t, "info", *got, cache.InfoReport{Root: root, WellFormed: 6, Corrupt: 4, TmpDirs: 2, RestoreDirs: 2, Bytes: bytes,
			BySchema: []housekeeping.SchemaCount{{Revision: manifest.Revision, Hash: digest.BLAKE3, Entries: 1}, {Revision: manifest.RevisionPacked, Hash: digest.BLAKE3, Entries: 5}},
			Reasons: []housekeeping.ReasonCount{{Reason: "invalid manifest", Entries: 1}, {Reason: "no manifest", Entries: 1},
				{Reason: "other revision or hash function", Entries: 1}, {Reason: "set aside as damaged", Entries: 1}}})

		must(t, r.store.Clear(bg))
		if _, err := ws.Lstat(layout.CacheDir); err == nil {
			t.Error("not cleared")
		}
		got, err = r.store.Info(bg)
		must(t, err)
		same(t, "after clear", *got, cache.InfoReport{Root: root, RestoreDirs: 2})
		rep, err = r.store.Clean(bg, cache.CleanOptions{Soft: true})
		must(t, err)
		same(t, "clean after clear", *rep, cache.CleanReport{RestoreDirs: 2})
	})
}

// AUX-026..028: what cannot be removed is reported and does not stop the rest.
func TestCleanBestEffort(t *testing.T) {
	if os.Getuid() == 0 {
		// Root may do everything: the immutable thing is a shard that is a mount point of sorts, made by the wrapper.
		mem := memfs.New()
		r := newRig(t, stubborn{mem}, cache.Options{})
		_, keys := many(r, 3)
		stuck := entryDir(keys[1])
		must(t, cachetest.WriteFile(mem, "/stubborn", strings.TrimPrefix(stuck, layout.CacheDir), 0o600))
		r.now = cachetest.Epoch.Add(10 * time.Hour)
		got, err := r.store.Clean(bg, cache.CleanOptions{MaxAge: age(0)})
		must(t, err)
		if len(got.Failures) != 1 || got.Failures[0].Path != stuck || got.Failures[0].Err == nil || got.Evicted != counts(0, 2, 0) || got.Bytes != 2000 {
			t.Errorf("report %+v", got)
		}
		same(t, "entries", r.there(keys), []int{1})
		got, err = r.store.Clean(bg, cache.CleanOptions{MaxSize: size(500)})
		must(t, err)
		if len(got.Failures) != 1 || got.Evicted != counts(0, 0, 0) {
			t.Errorf("report %+v", got)
		}
	}
}

// stubborn refuses to rename what the file /stubborn names.
type stubborn struct{ fsys.FS }

func (s stubborn) Sub(dir string) (fsys.FS, error) {
	sub, err := s.FS.Sub(dir)
	return stubbornSub{sub, s.FS}, err
}

type stubbornSub struct {
	fsys.FS
	top fsys.FS
}

func (s stubbornSub) Rename(from, to string) error {
	if b, _, err := s.top.ReadFile("/stubborn", 0); err == nil && string(b) == from {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: os.ErrPermission}
	}
	return s.FS.Rename(from, to)
}

// S-35: a run sweeps what dead owners have left, at most hourly, and never what a living one holds.
func TestSweep(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		if got := r.store.Sweep(bg, cache.SweepOptions{}); got.Ran {
			t.Error("swept where nothing is")
		}
		if _, err := ws.Lstat(layout.Dir); err == nil {
			t.Error("sweeping has made .haz")
		}
		_, keys := many(r, 5)
		litter(r)
		got := r.store.Sweep(bg, cache.SweepOptions{MaxSize: size(4000)})
		if !got.Ran || !got.Oversize || got.Removed != 7 { // 2 stores, 2 restores, spool, 2 kinds of trash
			t.Errorf("%+v", got)
		}
		requireLitterGone(r)
		same(t, "entries", r.there(keys), []int{0, 1, 2, 3, 4})

		must(t, cachetest.Tree{keyed("/.haz/cache/aa/.tmp-", dead) + "/lock": cachetest.File("", 0o600)}.Write(ws))
		r.now = r.now.Add(59 * time.Minute)
		if got := r.store.Sweep(bg, cache.SweepOptions{MaxSize: size(1)}); got != (cache.SweepReport{}) {
			t.Errorf("within the hour: %+v", got)
		}
		r.now = r.now.Add(2 * time.Minute)
		if got := r.store.Sweep(bg, cache.SweepOptions{MaxSize: size(5000)}); got != (cache.SweepReport{Ran: true, Removed: 1}) {
			t.Errorf("after it: %+v", got)
		}
		r.now = r.now.Add(-5 * time.Hour) // the clock was set back
		if got := r.store.Sweep(bg, cache.SweepOptions{}); got != (cache.SweepReport{Ran: true}) {
			t.Errorf("set back: %+v", got)
		}
	})
}

// What killed restores have left, on whichever device, is taken away at each run: it is as large as outputs and would be in the
// way of the next restore.
func TestSweepRestoresEachRun(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		many(r, 1)
		must(t, ws.MkdirAll(layout.StateDir, 0o700))
		for i := range 3 {
			r.store.Sweep(bg, cache.SweepOptions{})
			litter(r)
			r.now = r.now.Add(time.Second)
			if got := r.store.Sweep(bg, cache.SweepOptions{}); got.Ran || got.Removed != 4 { // 2 restores, spool, trash
				t.Errorf("%d: %+v", i, got)
			}
			for _, path := range []string{keyed("/.haz/state/restore-", dead), "/q/.haz-restore-0123456789abcdef"} {
				if _, err := ws.Lstat(path); err == nil {
					t.Errorf("%d: left: %s", i, path)
				}
			}
			must(t, ws.RemoveAll("/.haz/state/restore-"+strings.Repeat(living, 16)+"-0123456789abcdef"))
			must(t, ws.RemoveAll(keyed("/.haz/cache/aa/.tmp-", living)))
			must(t, ws.RemoveAll(numbered("/.haz/state/spool-", living)))
		}
	})
}

// A sweep is bounded to 100 ms: what it does not get to is left for the next one.
func TestSweepIsBounded(t *testing.T) {
	mem := memfs.New()
	r := newRig(t, mem, cache.Options{})
	many(r, 1)
	tree := cachetest.Tree{}
	for i := range 30 {
		tree[fmt.Sprintf("/.haz/cache/.trash-%016x/stdout", i)] = cachetest.File("x", 0o600)
	}
	must(t, tree.Write(mem))
	must(t, mem.MkdirAll(layout.StateDir, 0o700))
	now := cachetest.Epoch
	slow := cachetest.Open(mem, cache.Options{Now: func() time.Time { // every look at the clock takes 10 ms
		now = now.Add(10 * time.Millisecond)
		return now
	}})
	if got := slow.Sweep(bg, cache.SweepOptions{MaxSize: size(0)}); !got.Ran || got.Removed == 0 || got.Removed > 10 || got.Oversize {
		t.Errorf("%+v", got)
	}
}

// With a read-only cache a sweep leaves the cache root alone.
func TestSweepReadOnly(t *testing.T) {
	r := newRig(t, memfs.New(), cache.Options{})
	litter(r)
	ro := newRig(t, r.ws, cache.Options{ReadOnly: true})
	ro.store.Sweep(bg, cache.SweepOptions{})
	for path, want := range map[string]bool{keyed("/.haz/cache/aa/.tmp-", dead): true, numbered("/.haz/cache/.trash-", dead): true,
		keyed("/.haz/state/restore-", dead): false} {
		if _, err := r.ws.Lstat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}
