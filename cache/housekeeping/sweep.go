package housekeeping

import (
	"context"
	"os"
	"time"

	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

const (
	sweepEvery  = time.Hour // how often leftovers are looked for
	sweepBudget = 100 * time.Millisecond

	sweptName = "swept" // in state: its mtime is the time of the last sweep
)

// Housekeeper looks after what lies in the cache and beside it: clean, clear, info, sweep.
type Housekeeper struct{ *site.Site }

func New(s *site.Site) *Housekeeper { return &Housekeeper{s} }

// SweepOptions of Sweep.
type SweepOptions struct {
	// MaxSize is cache.clean.max_size in bytes; nil when the workspace has none.
	MaxSize *int64
}

// SweepReport says what a sweep has found.
type SweepReport struct {
	Ran     bool // it was time for one
	Removed int  // leftovers removed
	// Oversize: what could be added up in the time was already larger than MaxSize; suggest `haz cache clean`.
	Oversize bool
}

// Sweep removes leftovers of dead owners when a run starts (S-35), for at most 100 ms: those of restores at each run, since they
// are as large as outputs and lie on the devices that the run is about to write to; all others at most once an hour. Staging whose
// lock is held is never touched. With a read-only cache nothing below the cache root is. Failures do not matter: the next sweep
// tries again.
func (s *Housekeeper) Sweep(ctx context.Context, o SweepOptions) SweepReport {
	var r SweepReport
	now := s.Now()
	b := &site.Budget{Now: s.Now, Until: now.Add(sweepBudget)}
	count := func(done bool) {
		if done {
			r.Removed++
		}
	}
	s.sweepState(ctx, b, count)
	if !s.timeToSweep(now) {
		return r
	}
	r.Ran = true
	root, err := s.Open()
	if err != nil {
		return r
	}
	if !s.ReadOnly {
		s.sweepTrash(root, b, count)
	}
	var sum int64
	c := scan{s: s, root: root}
	if !s.ReadOnly {
		c.tmp = func(path string) bool {
			done, _ := s.removeStore(root, path, b)
			count(done)
			return !b.Over()
		}
	}
	_ = c.run(ctx)
	if o.MaxSize == nil || b.Over() {
		return r
	}
	c.tmp = nil
	c.entry = func(f found) bool {
		if f.bad == nil {
			sum = site.SaturatingAdd(sum, f.footprint)
		}
		r.Oversize = sum > *o.MaxSize
		return !r.Oversize && !b.Over()
	}
	_ = c.run(ctx)
	return r
}

// sweepState removes what lies in .haz/state, and what restores have staged elsewhere.
func (s *Housekeeper) sweepState(ctx context.Context, b *site.Budget, count func(bool)) {
	_ = s.stateNames(func(path, name string) bool {
		switch {
		case site.IsRestoreName(name):
			done, _ := s.removeRestore(path, b)
			count(done)
		case site.IsSpoolName(name):
			done, _ := s.removeOrphan(s.WS, path, layout.StateDir+"/"+site.ClearedPrefix+s.Suffix(), b)
			count(done)
		case site.IsClearedName(name):
			count(b.RemoveAll(s.WS, path) == nil)
		}
		return !b.Over() && ctx.Err() == nil
	})
}

func (s *Housekeeper) sweepTrash(root fsys.FS, b *site.Budget, count func(bool)) {
	list, err := root.List("/")
	if err != nil {
		return
	}
	for _, e := range list {
		if site.IsTrashName(e.Name) && !b.Over() {
			count(site.RemoveOwn(root, "/"+e.Name, b) == nil)
		}
	}
}

// timeToSweep reports whether an hour has passed since the last sweep, and notes that this is one. Without a state
// directory nothing has ever been left here; the cache may be new all the same, and is looked at in an hour.
func (s *Housekeeper) timeToSweep(now time.Time) bool {
	name := layout.StateDir + "/" + sweptName
	info, err := s.WS.Lstat(name)
	switch {
	case err == nil && info.Kind == fsys.File:
		if age := now.UnixNano() - info.MTime; age >= 0 && age < int64(sweepEvery) {
			return false
		}
	case !fsys.Absent(err):
		return false
	default:
		f, err := s.WS.OpenFile(name, os.O_WRONLY|os.O_CREATE, site.FilePerm)
		if err != nil || f.Close() != nil {
			return false
		}
	}
	return s.WS.Chtimes(name, now, now) == nil
}
