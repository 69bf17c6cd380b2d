package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// Lookup finds the entry of k (7.4; CACHE-014..016). A hit has a valid manifest of this revision and hash function, and every blob and both
// streams are there with the declared sizes; their bytes are looked at when they are used. A damaged entry is set aside
// (not with ReadOnly or KeepDamaged).
//
// The system calls of a hit: open and read the manifest; unless all lies behind it, one look at each stream and each distinct blob.
func (s *Store) Lookup(k entry.Key) (*manifest.Manifest, *entry.Miss) {
	root, miss := s.openForLookup()
	if miss != nil {
		return nil, miss
	}
	m, miss, at := s.find(root, k)
	if miss != nil && miss.Reason == entry.Damaged && !s.ReadOnly && !s.keepDamaged {
		miss.Became = s.setAside(root, at, miss.Detail)
	}
	return m, miss
}

// find looks at the place of k and, when nothing lies there that serves this root, at the one that this root has beside it. at
// is the place that the answer is about.
func (s *Store) find(root fsys.FS, k entry.Key) (m *manifest.Manifest, miss *entry.Miss, at entry.Key) {
	m, miss = s.examine(root, k)
	bound := miss == nil && !m.ServesRoot(&s.home)
	switch {
	case bound && s.home.Path == "":
		return nil, m.MissOfOthers(), k
	case !bound && (miss == nil || miss.Reason != entry.NoEntry) || s.home.Path == "":
		return m, miss, k
	}
	at = variant(s.Hash, k, s.home.Name())
	own, ownMiss := s.examine(root, at)
	switch {
	case ownMiss == nil && own.ServesRoot(&s.home):
		return own, nil, at
	case ownMiss == nil:
		return nil, &entry.Miss{Reason: entry.Damaged, Detail: "it is bound to another root than its place"}, at
	case ownMiss.Reason == entry.NoEntry && bound:
		return nil, m.MissOfOthers(), k
	}
	return nil, ownMiss, at
}

// Explain is Lookup without any effect on disk, for why.
func (s *Store) Explain(k entry.Key) (*manifest.Manifest, *entry.Miss) {
	root, miss := s.openForLookup()
	if miss != nil {
		return nil, miss
	}
	m, miss, _ := s.find(root, k)
	return m, miss
}

func (s *Store) openForLookup() (fsys.FS, *entry.Miss) {
	root, err := s.Open()
	switch {
	case err == nil:
		return root, nil
	case err == site.ErrNoCache:
		return nil, &entry.Miss{Reason: entry.NoEntry}
	}
	return nil, &entry.Miss{Reason: entry.Unreadable, Detail: fsys.Cause(err).Error()}
}

// examine looks at the entry of k.
func (s *Store) examine(root fsys.FS, k entry.Key) (*manifest.Manifest, *entry.Miss) {
	dir := site.EntryOf(k)
	m, miss := manifest.ReadManifest(root, dir)
	if miss != nil {
		return nil, miss
	}
	if m.Hash != s.Hash {
		return nil, &entry.Miss{Reason: entry.Schema, Detail: (&manifest.SchemaError{Revision: m.Revision, Hash: m.Hash.String()}).Error()}
	}
	if m.Key != k {
		return nil, &entry.Miss{Reason: entry.Damaged, Detail: "the manifest is that of another key"}
	}
	if m.Packed() { // then all is there
		return m, nil
	}
	if miss := present(root, dir+"/"+site.StdoutName, m.StdoutLen, site.StdoutName); miss != nil {
		return nil, miss
	}
	if miss := present(root, dir+"/"+site.StderrName, m.StderrLen, site.StderrName); miss != nil {
		return nil, miss
	}
	if miss := blobsPresent(root, dir, m); miss != nil {
		return nil, miss
	}
	return m, nil
}

// blobsPresent looks at every distinct blob once.
func blobsPresent(root fsys.FS, dir string, m *manifest.Manifest) *entry.Miss {
	var seen map[digest.Digest]int64
	if len(m.Outputs) > 1 {
		seen = make(map[digest.Digest]int64, min(len(m.Outputs), 1<<16))
	}
	name := append(make([]byte, 0, len(dir)+80), dir...)
	name = append(name, "/"+site.OutputsName+"/"...)
	fixed := len(name)
	for i := range m.Outputs {
		o := &m.Outputs[i]
		if o.Kind != entry.File {
			continue
		}
		if size, ok := seen[o.Digest]; ok {
			if size != o.Size {
				return &entry.Miss{Reason: entry.Damaged, Detail: fmt.Sprintf("two sizes for the content of %s", o.Path)}
			}
			continue
		}
		name = hex.AppendEncode(name[:fixed], o.Digest[:])
		if miss := present(root, string(name), o.Size, ""); miss != nil {
			if miss.Reason == entry.Damaged {
				miss.Detail = m.NameBlob(i) + " " + miss.Detail
			}
			return miss
		}
		if seen != nil {
			seen[o.Digest] = o.Size
		}
	}
	return nil
}

// present reports what is wrong with the file name, which must be regular and have that size. what goes in front of the
// detail.
func present(root fsys.FS, name string, size int64, what string) *entry.Miss {
	info, err := root.Lstat(name)
	if what != "" {
		what += " "
	}
	switch {
	case fsys.Absent(err):
		return &entry.Miss{Reason: entry.Damaged, Detail: what + "missing"}
	case errors.Is(err, syscall.ELOOP):
		return &entry.Miss{Reason: entry.Damaged, Detail: what + "lies behind a loop of links"}
	case err != nil:
		return &entry.Miss{Reason: entry.Unreadable, Detail: what + fsys.Cause(err).Error()}
	case info.Kind != fsys.File:
		return &entry.Miss{Reason: entry.Damaged, Detail: what + "is no regular file"}
	case info.Size != size:
		return &entry.Miss{Reason: entry.Damaged, Detail: fmt.Sprintf("%shas %d bytes, the manifest says %d", what, info.Size, size)}
	}
	return nil
}

// Touch refreshes the mtime of `used`, at most hourly; an entry made within the hour needs no other witness of its use.
func (s *Store) Touch(m *manifest.Manifest) {
	now := s.Now()
	if s.ReadOnly || now.Unix()-m.CreatedAt < int64(usedRefresh.Seconds()) {
		return
	}
	root, err := s.Open()
	if err != nil {
		return
	}
	name := site.EntryOf(m.Key) + "/" + site.UsedName
	info, err := root.Lstat(name)
	switch {
	case err == nil && info.Kind == fsys.File:
		if age := now.UnixNano() - info.MTime; age >= 0 && age < int64(usedRefresh) {
			return
		}
	case errors.Is(err, fs.ErrNotExist):
		if site.WriteNew(root, name, nil, site.FilePerm) != nil {
			return
		}
	default:
		return // a link, say: nothing that we made
	}
	_ = root.Chtimes(name, now, now)
}

// LastTouch is the last witness that Touch knows of, in unix seconds: that the entry was made, or used.
func (s *Store) LastTouch(m *manifest.Manifest) int64 {
	root, err := s.Open()
	if err != nil {
		return m.CreatedAt
	}
	info, err := root.Lstat(site.EntryOf(m.Key) + "/" + site.UsedName)
	if err != nil || info.Kind != fsys.File {
		return m.CreatedAt
	}
	return max(m.CreatedAt, info.MTime/int64(time.Second))
}

// IsTouched reports whether Touch has nothing to do for an entry of which LastTouch was asked at some time.
func (s *Store) IsTouched(last int64) bool {
	age := s.Now().Unix() - last
	return s.ReadOnly || age >= 0 && age < int64(usedRefresh.Seconds())
}

// Places are where the entry of a key lies, and the folder of entries that this is in, in the workspace.
func Places(k entry.Key) (dir, shard string) {
	return layout.CacheDir + site.EntryOf(k), layout.CacheDir + site.ShardOf(k)
}
