package housekeeping

import (
	"context"
	"errors"
	"strings"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/fsys"
)

// found is an entry that a scan met, without its manifest: a cache may hold very many.
type found struct {
	path      string // below the cache root
	key       string // as the name of the directory spells it
	revision  int    // of the manifest; 0 when it cannot be decoded
	createdAt int64
	footprint int64       // declared bytes; 0 when the manifest cannot be decoded
	bad       *entry.Miss // why it is no good entry of the active schema
	aside     bool        // it lies in .damaged
	unread    error       // it could not be looked at
	reason    string      // for people: what kind of bad
}

// A scan walks the cache root.
type scan struct {
	s       *Housekeeper
	root    fsys.FS
	entry   func(found) bool       // false ends the scan
	tmp     func(path string) bool // a .tmp- directory
	trouble func(path string, err error)
}

// run walks all shards and .damaged. The error is that of reading the root itself, or ctx.Err(). A root that was cleared
// since it was opened is empty.
func (c *scan) run(ctx context.Context) error {
	top, err := c.root.List("/")
	if fsys.Absent(err) {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	for _, e := range top {
		dir := "/" + e.Name
		switch {
		case e.Name == site.DamagedName:
			if !c.walk(ctx, dir, true) {
				return ctx.Err()
			}
		case site.IsShard(e.Name):
			if !c.walk(ctx, dir, false) {
				return ctx.Err()
			}
		}
	}
	return ctx.Err()
}

func (c *scan) walk(ctx context.Context, dir string, aside bool) bool {
	list, err := c.root.List(dir)
	if err != nil {
		if !fsys.Absent(err) && c.trouble != nil { // ENOTDIR: no shard, only a file with such a name
			c.trouble(dir, err)
		}
		return true
	}
	for _, e := range list {
		if ctx.Err() != nil {
			return false
		}
		path := site.Join(dir, e.Name)
		if !site.IsDir(c.root, path, e.Kind) {
			continue
		}
		if !aside && site.IsTmpName(e.Name) {
			if c.tmp != nil && !c.tmp(path) {
				return false
			}
			continue
		}
		if aside && !site.IsDamagedName(e.Name) || !aside && !site.IsKey(e.Name) {
			continue // nothing that haz has made
		}
		if c.entry != nil && !c.entry(c.look(dir, path, e.Name, aside)) {
			return false
		}
	}
	return true
}

// look judges one directory in the place of an entry by its manifest alone (AUX-017).
func (c *scan) look(dir, path, name string, aside bool) found {
	f := found{path: path, key: name, aside: aside}
	if i := strings.IndexByte(name, '-'); aside && i >= 0 {
		f.key = name[:i]
	}
	m, miss := manifest.ReadManifest(c.root, path)
	if m != nil {
		f.revision, f.createdAt, f.footprint = m.Revision, m.CreatedAt, m.Footprint()
	}
	switch {
	case miss != nil && miss.Reason == entry.Unreadable:
		f.bad, f.reason, f.unread = miss, "unreadable manifest", errors.New(miss.Detail)
	case aside:
		f.bad, f.reason = &entry.Miss{Reason: entry.Damaged, Detail: "set aside"}, "set aside as damaged"
	case miss != nil && miss.Reason == entry.NoEntry:
		f.bad, f.reason = miss, "no manifest"
	case miss != nil && miss.Reason == entry.Schema:
		f.bad, f.reason = miss, "other revision or hash function"
	case miss != nil:
		f.bad, f.reason = miss, "invalid manifest"
	case m.Hash != c.s.Hash:
		f.bad, f.reason = &entry.Miss{Reason: entry.Schema, Detail: m.Hash.String()}, "other revision or hash function"
	case m.Key.Hex() != name || "/"+name[:2] != dir:
		f.bad, f.reason = &entry.Miss{Reason: entry.Damaged, Detail: "manifest of another key"}, "manifest of another key"
	}
	return f
}

// lastUse is when an entry was last of use: made, or hit (`used`), in unix seconds.
func (c *scan) lastUse(f found) int64 {
	info, err := c.root.Lstat(f.path + "/" + site.UsedName)
	if err != nil || info.Kind != fsys.File {
		return f.createdAt
	}
	return max(f.createdAt, info.MTime/1e9)
}
