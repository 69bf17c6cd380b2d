package housekeeping

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/restore"
	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// InfoReport is what chapter 3, 8.2 prints (AUX-017..021).
type InfoReport struct {
	Root       string // on the host
	WellFormed int    // a valid manifest of an active revision and hash function; files beside it are not looked at
	Corrupt    int    // everything else in an entry's place, and all of .damaged
	// TmpDirs and RestoreDirs are staging directories that no living process holds.
	TmpDirs, RestoreDirs int
	Bytes                int64         // apparent size of all regular files that haz has made below the root
	BySchema             []SchemaCount // of the well-formed; empty when there are none
	Reasons              []ReasonCount // of the corrupt, by reason
	// Displaced is what gave way to outputs and is kept for whoever made it, the oldest first (7.7).
	Displaced []restore.Kept
}

// SchemaCount is a line of the last section of the report.
type SchemaCount struct {
	Revision int
	Hash     digest.Function
	Entries  int
}

// ReasonCount says how many entries are corrupt in one way.
type ReasonCount struct {
	Reason  string
	Entries int
}

// Info looks at the cache and changes nothing. An absent root is all zeros, restore leftovers aside; an unreadable one is an
// error.
func (s *Housekeeper) Info(ctx context.Context) (*InfoReport, error) {
	r := &InfoReport{Root: s.WS.HostPath(layout.CacheDir)}
	err := s.stateNames(func(path, name string) bool {
		if site.IsRestoreName(name) && isOrphan(s.WS, path) {
			r.RestoreDirs++
		}
		return ctx.Err() == nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", s.WS.HostPath(layout.StateDir), fsys.Cause(err))
	}
	if r.Displaced, err = restore.Displaced(s.WS); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", s.WS.HostPath(restore.DisplacedDir), fsys.Cause(err))
	}
	root, err := s.Open()
	switch {
	case err == nil:
	case err == site.ErrNoCache:
		return r, ctx.Err()
	default:
		return nil, fmt.Errorf("the cache %s cannot be read: %w", r.Root, fsys.Cause(err))
	}
	reasons, revisions := map[string]int{}, map[int]int{}
	c := scan{s: s, root: root}
	c.tmp = func(path string) bool {
		if isOrphan(root, path) {
			r.TmpDirs++
		}
		return true
	}
	c.entry = func(f found) bool {
		if f.bad == nil {
			r.WellFormed++
			revisions[f.revision]++
		} else {
			r.Corrupt++
			reasons[f.reason]++
		}
		return true
	}
	if err := c.run(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("the cache %s cannot be read: %w", r.Root, fsys.Cause(err))
	}
	for _, revision := range slices.Sorted(maps.Keys(revisions)) {
		r.BySchema = append(r.BySchema, SchemaCount{Revision: revision, Hash: s.Hash, Entries: revisions[revision]})
	}
	for reason, n := range reasons {
		r.Reasons = append(r.Reasons, ReasonCount{Reason: reason, Entries: n})
	}
	slices.SortFunc(r.Reasons, func(a, b ReasonCount) int { return cmp.Compare(a.Reason, b.Reason) })
	r.Bytes = totalBytes(ctx, root)
	return r, ctx.Err()
}

// totalBytes adds up all regular files of what haz has made. What cannot be looked at counts nothing.
func totalBytes(ctx context.Context, root fsys.FS) int64 {
	var sum int64
	top, err := root.List("/")
	if err != nil {
		return 0
	}
	for _, e := range top {
		dir := "/" + e.Name
		switch {
		case e.Name == site.IgnoreName, e.Name == site.DamagedName, site.IsTrashName(e.Name):
			sum = site.SaturatingAdd(sum, bytesBelow(ctx, root, dir))
		case site.IsShard(e.Name):
			list, _ := root.List(dir)
			for _, in := range list {
				if site.IsKey(in.Name) || site.IsTmpName(in.Name) {
					sum = site.SaturatingAdd(sum, bytesBelow(ctx, root, site.Join(dir, in.Name)))
				}
			}
		}
	}
	return sum
}

// bytesBelow adds up the regular files at and below a name.
func bytesBelow(ctx context.Context, root fsys.FS, path string) int64 {
	var sum int64
	for todo := []string{path}; len(todo) > 0 && ctx.Err() == nil; {
		path := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		info, err := root.Lstat(path)
		switch {
		case err != nil:
		case info.Kind == fsys.File:
			sum = site.SaturatingAdd(sum, info.Size)
		case info.Kind == fsys.Dir:
			list, _ := root.List(path)
			for _, e := range list {
				todo = append(todo, site.Join(path, e.Name))
			}
		}
	}
	return sum
}
