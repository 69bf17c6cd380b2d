// Package housekeeping looks after what lies in the cache and beside it: clean, clear, info, and the sweep of what killed owners
// left behind (chapter 2, 11; chapter 3, 8).
package housekeeping

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// CleanOptions say what to clean (CACHE-022, AUX-022..025). At least one mode must be in force.
type CleanOptions struct {
	Soft    bool           // what is of no use: bad entries, leftovers of dead owners
	MaxAge  *time.Duration // good entries created strictly before now minus this; nil: not in force
	MaxSize *int64         // bytes that the good entries may declare together; nil: not in force
	DryRun  bool           // compute the same report and touch nothing (AUX-024)
}

// CleanPass is the mode that names an entry. An entry counts under the first one that does.
type CleanPass uint8

const (
	PassSoft CleanPass = iota
	PassMaxAge
	PassMaxSize
	passes
)

// String is the option, as reports print it.
func (p CleanPass) String() string { return [...]string{"--soft", "--max-age", "--max-size"}[p] }

// CleanReport is what chapter 3, 8.3 prints.
type CleanReport struct {
	DryRun    bool
	Inspected int         // entries, good and bad, those in .damaged among them
	Evicted   [passes]int // by CleanPass; of a dry run, what would be
	// TmpDirs and RestoreDirs are the staging directories of dead owners that were removed; 0 without Soft.
	TmpDirs, RestoreDirs int
	Bytes                int64          // reclaimed, as declared by the manifests
	Items                []CleanItem    // of a dry run: what it would evict
	Failures             []CleanFailure // by path; with any, the exit code is 2 (AUX-027)
}

// CleanItem is an entry that a dry run would evict. Items are sorted by pass, creation time and key.
type CleanItem struct {
	Key       string // as the directory spells it: 64 digits, unless somebody else made it
	CreatedAt int64  // unix seconds; 0 when unknown
	Footprint int64  // declared bytes; 0 when unknown
	Pass      CleanPass
}

// Short is the first 8 digits of the key.
func (i CleanItem) Short() string { return i.Key[:min(8, len(i.Key))] }

// CleanFailure is an item that could not be read or removed (AUX-028).
type CleanFailure struct {
	Path string // on the host
	Err  error
}

// ErrNoCleanMode says that no mode is in force (AUX-022).
var ErrNoCleanMode = errors.New("nothing says what to clean")

// Clean removes what the options name, in the order soft, max age, max size. Only an unreadable cache root, no mode in
// force, and ctx.Err() are errors; whatever else fails is in the report. An absent cache root is an empty cache. An entry
// is evicted whole or not at all.
func (s *Housekeeper) Clean(ctx context.Context, o CleanOptions) (*CleanReport, error) {
	if !o.Soft && o.MaxAge == nil && o.MaxSize == nil {
		return nil, ErrNoCleanMode
	}
	c := &cleaning{s: s, o: o, r: &CleanReport{DryRun: o.DryRun}}
	root, err := s.Open()
	switch {
	case err == nil:
		c.root = root
		if err := c.entries(ctx); err != nil {
			return nil, err
		}
	case err != site.ErrNoCache:
		return nil, fmt.Errorf("the cache %s cannot be read: %w", s.WS.HostPath(layout.CacheDir), fsys.Cause(err))
	}
	if o.Soft {
		if err := c.leftovers(ctx); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(c.r.Items, func(a, b CleanItem) int {
		return cmp.Or(cmp.Compare(a.Pass, b.Pass), cmp.Compare(a.CreatedAt, b.CreatedAt), cmp.Compare(a.Key, b.Key))
	})
	slices.SortFunc(c.r.Failures, func(a, b CleanFailure) int { return cmp.Compare(a.Path, b.Path) })
	return c.r, ctx.Err()
}

type cleaning struct {
	s    *Housekeeper
	o    CleanOptions
	r    *CleanReport
	root fsys.FS
}

// candidate is a good entry that may have to go because of the size.
type candidate struct {
	found
	lastUse int64
}

func (c *cleaning) entries(ctx context.Context) error {
	var bad, old []found
	var kept []candidate
	var tmps []string
	cutoff := int64(-1)
	if c.o.MaxAge != nil {
		cutoff = max(0, c.s.Now().Unix()-int64(*c.o.MaxAge/time.Second))
	}
	sc := &scan{s: c.s, root: c.root,
		trouble: func(path string, err error) { c.fail(c.root.HostPath(path), err) },
		tmp: func(path string) bool {
			tmps = append(tmps, path)
			return true
		},
	}
	sc.entry = func(f found) bool {
		c.r.Inspected++
		switch {
		case f.unread != nil:
			if c.o.Soft {
				c.fail(c.root.HostPath(f.path), f.unread)
			}
		case f.bad != nil:
			bad = append(bad, f)
		case f.createdAt < cutoff:
			old = append(old, f)
		case c.o.MaxSize != nil:
			kept = append(kept, candidate{found: f, lastUse: sc.lastUse(f)})
		}
		return true
	}
	if err := sc.run(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("the cache %s cannot be read: %w", c.root.HostPath("/"), fsys.Cause(err))
	}
	if c.o.Soft {
		if err := c.evictAll(ctx, bad, PassSoft); err != nil {
			return err
		}
		for _, path := range tmps {
			if err := ctx.Err(); err != nil {
				return err
			}
			c.orphan(c.root, path, &c.r.TmpDirs, func() (bool, error) {
				return c.s.removeStore(c.root, path, nil)
			})
		}
	}
	if err := c.evictAll(ctx, old, PassMaxAge); err != nil {
		return err
	}
	if c.o.MaxSize == nil {
		return nil
	}
	return c.shrink(ctx, kept)
}

// shrink evicts the least recently used entries until the rest declares no more than the limit.
func (c *cleaning) shrink(ctx context.Context, kept []candidate) error {
	slices.SortFunc(kept, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.lastUse, b.lastUse), cmp.Compare(a.key, b.key)) })
	rest := make([]int64, len(kept)+1) // what kept[i:] declare
	for i := len(kept) - 1; i >= 0; i-- {
		rest[i] = site.SaturatingAdd(rest[i+1], kept[i].footprint)
	}
	var stuck int64 // declared by what could not be evicted
	for i := range kept {
		if site.SaturatingAdd(stuck, rest[i]) <= *c.o.MaxSize {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if !c.evict(kept[i].found, PassMaxSize) {
			stuck = site.SaturatingAdd(stuck, kept[i].footprint)
		}
	}
	return nil
}

func (c *cleaning) evictAll(ctx context.Context, list []found, p CleanPass) error {
	for _, f := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.evict(f, p)
	}
	return nil
}

// evict reports whether the entry is gone, or would be.
func (c *cleaning) evict(f found, p CleanPass) bool {
	if c.o.DryRun {
		c.r.Items = append(c.r.Items, CleanItem{Key: f.key, CreatedAt: f.createdAt, Footprint: f.footprint, Pass: p})
	} else if err := c.s.Evict(c.root, f.path); err != nil {
		c.fail(c.root.HostPath(f.path), err)
		return false
	}
	c.r.Evicted[p]++
	c.r.Bytes = site.SaturatingAdd(c.r.Bytes, f.footprint)
	return true
}

func (c *cleaning) fail(path string, err error) {
	if !errors.Is(err, fs.ErrNotExist) {
		c.r.Failures = append(c.r.Failures, CleanFailure{Path: path, Err: fsys.Cause(err)})
	}
}

// orphan counts and, unless this is a dry run, removes a staging directory of a dead owner.
func (c *cleaning) orphan(fsy fsys.FS, path string, n *int, remove func() (bool, error)) {
	if c.o.DryRun {
		if isOrphan(fsy, path) {
			*n++
		}
		return
	}
	done, err := remove()
	if err != nil {
		c.fail(fsy.HostPath(path), err)
	}
	if done {
		*n++
	}
}

// leftovers are those outside of the cache root, and trash, which no report counts.
func (c *cleaning) leftovers(ctx context.Context) error {
	err := c.s.stateNames(func(path, name string) bool {
		switch {
		case site.IsRestoreName(name):
			c.orphan(c.s.WS, path, &c.r.RestoreDirs, func() (bool, error) { return c.s.removeRestore(path, nil) })
		case c.o.DryRun:
		case site.IsSpoolName(name):
			_, _ = c.s.removeOrphan(c.s.WS, path, layout.StateDir+"/"+site.ClearedPrefix+c.s.Suffix(), nil)
		case site.IsClearedName(name):
			_ = c.s.WS.RemoveAll(path)
		}
		return ctx.Err() == nil
	})
	if err != nil {
		c.fail(c.s.WS.HostPath(layout.StateDir), err)
	}
	if c.root != nil && !c.o.DryRun {
		c.s.sweepTrash(c.root, nil, func(bool) {})
	}
	return ctx.Err()
}
