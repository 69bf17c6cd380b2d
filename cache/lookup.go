package cache

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/fsys"
)

// Lookup finds the entry of k (7.4; CACHE-014..016). A hit has a valid manifest of this revision and hash function, and every blob and both
// streams are there with the declared sizes; their bytes are looked at when they are used. A damaged entry is set aside
// (not with ReadOnly or KeepDamaged).
//
// The system calls of a hit: open and read the manifest, one look at each stream and each distinct blob.
func (s *core) Lookup(k entry.Key) (*Manifest, *entry.Miss) {
	root, miss := s.openForLookup()
	if miss != nil {
		return nil, miss
	}
	m, miss, at := s.find(root, k)
	if miss != nil && miss.Reason == entry.Damaged && !s.o.ReadOnly && !s.keepDamaged {
		miss.Became = s.setAside(root, at, miss.Detail)
	}
	return m, miss
}

// find looks at the place of k and, when nothing lies there that serves this root, at the one that this root has beside it. at
// is the place that the answer is about.
func (s *core) find(root fsys.FS, k entry.Key) (m *Manifest, miss *entry.Miss, at entry.Key) {
	m, miss = s.examine(root, k)
	bound := miss == nil && !m.servesRoot(&s.home)
	switch {
	case bound && s.home.Path == "":
		return nil, m.missOfOthers(), k
	case !bound && (miss == nil || miss.Reason != entry.NoEntry) || s.home.Path == "":
		return m, miss, k
	}
	at = variant(s.o.Hash, k, s.home.name())
	own, ownMiss := s.examine(root, at)
	switch {
	case ownMiss == nil && own.servesRoot(&s.home):
		return own, nil, at
	case ownMiss == nil:
		return nil, &entry.Miss{Reason: entry.Damaged, Detail: "it is bound to another root than its place"}, at
	case ownMiss.Reason == entry.NoEntry && bound:
		return nil, m.missOfOthers(), k
	}
	return nil, ownMiss, at
}

// Explain is Lookup without any effect on disk, for why.
func (s *core) Explain(k entry.Key) (*Manifest, *entry.Miss) {
	root, miss := s.openForLookup()
	if miss != nil {
		return nil, miss
	}
	m, miss, _ := s.find(root, k)
	return m, miss
}

func (s *core) openForLookup() (fsys.FS, *entry.Miss) {
	root, err := s.open()
	switch {
	case err == nil:
		return root, nil
	case err == errNoCache:
		return nil, &entry.Miss{Reason: entry.NoEntry}
	}
	return nil, &entry.Miss{Reason: entry.Unreadable, Detail: fsys.Cause(err).Error()}
}

// examine looks at the entry of k.
func (s *core) examine(root fsys.FS, k entry.Key) (*Manifest, *entry.Miss) {
	dir := entryOf(k)
	m, miss := readManifest(root, dir)
	if miss != nil {
		return nil, miss
	}
	if m.Hash != s.o.Hash {
		return nil, &entry.Miss{Reason: entry.Schema, Detail: (&SchemaError{Revision: m.Revision, Hash: m.Hash.String()}).Error()}
	}
	if m.Key != k {
		return nil, &entry.Miss{Reason: entry.Damaged, Detail: "the manifest is that of another key"}
	}
	if miss := present(root, dir+"/"+stdoutName, m.StdoutLen, stdoutName); miss != nil {
		return nil, miss
	}
	if miss := present(root, dir+"/"+stderrName, m.StderrLen, stderrName); miss != nil {
		return nil, miss
	}
	if miss := blobsPresent(root, dir, m); miss != nil {
		return nil, miss
	}
	return m, nil
}

// blobsPresent looks at every distinct blob once.
func blobsPresent(root fsys.FS, dir string, m *Manifest) *entry.Miss {
	var seen map[digest.Digest]int64
	if len(m.Outputs) > 1 {
		seen = make(map[digest.Digest]int64, min(len(m.Outputs), 1<<16))
	}
	name := append(make([]byte, 0, len(dir)+80), dir...)
	name = append(name, "/"+outputsName+"/"...)
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
				miss.Detail = m.nameBlob(i) + " " + miss.Detail
			}
			return miss
		}
		if seen != nil {
			seen[o.Digest] = o.Size
		}
	}
	return nil
}

// nameBlob is what messages call the blob of output i: "blob 2 of 3", counting files.
func (m *Manifest) nameBlob(i int) string {
	n, of := 0, 0
	for j := range m.Outputs {
		if m.Outputs[j].Kind == entry.File {
			of++
			if j <= i {
				n++
			}
		}
	}
	return fmt.Sprintf("blob %d of %d", n, of)
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

// readManifest reads and decodes the manifest of the entry directory.
func readManifest(root fsys.FS, dir string) (*Manifest, *entry.Miss) {
	name := dir + "/" + manifestName
	b, _, err := root.ReadFile(name, smallManifest)
	var m *Manifest
	switch {
	case err == nil:
		m, err = Decode(b)
	case fsys.Absent(err):
		return nil, &entry.Miss{Reason: entry.NoEntry}
	case errors.Is(err, fsys.ErrTooLong):
		var miss *entry.Miss
		if m, miss, err = streamManifest(root, name); miss != nil {
			return nil, miss
		}
	default:
		return nil, notReadable(root, name, err)
	}
	var foreign *SchemaError
	var read *ReadError
	switch {
	case err == nil:
		return m, nil
	case errors.As(err, &foreign):
		return nil, &entry.Miss{Reason: entry.Schema, Detail: foreign.Error()}
	case errors.As(err, &read):
		return nil, &entry.Miss{Reason: entry.Unreadable, Detail: fsys.Cause(read.Err).Error()}
	}
	return nil, &entry.Miss{Reason: entry.Damaged, Detail: "manifest: " + err.Error()}
}

// streamManifest decodes a manifest that is too long to be read in one piece.
func streamManifest(root fsys.FS, name string) (*Manifest, *entry.Miss, error) {
	f, err := root.OpenNoFollow(name)
	if err != nil {
		return nil, notReadable(root, name, err), nil
	}
	defer f.Close()
	m, err := DecodeFrom(f)
	return m, nil, err
}

// notReadable tells a manifest that is no regular file from one that cannot be read right now.
func notReadable(root fsys.FS, name string, err error) *entry.Miss {
	info, lookErr := root.Lstat(name)
	if lookErr == nil && info.Kind != fsys.File || errors.Is(lookErr, syscall.ELOOP) {
		return &entry.Miss{Reason: entry.Damaged, Detail: "manifest is no regular file"}
	}
	return &entry.Miss{Reason: entry.Unreadable, Detail: "manifest: " + fsys.Cause(err).Error()}
}

// touch refreshes the mtime of `used`, at most hourly; an entry made within the hour needs no other witness of its use.
func (s *core) touch(m *Manifest) {
	now := s.o.Now()
	if s.o.ReadOnly || now.Unix()-m.CreatedAt < int64(usedRefresh.Seconds()) {
		return
	}
	root, err := s.open()
	if err != nil {
		return
	}
	name := entryOf(m.Key) + "/" + usedName
	info, err := root.Lstat(name)
	switch {
	case err == nil && info.Kind == fsys.File:
		if age := now.UnixNano() - info.MTime; age >= 0 && age < int64(usedRefresh) {
			return
		}
	case errors.Is(err, fs.ErrNotExist):
		if writeNew(root, name, nil, filePerm) != nil {
			return
		}
	default:
		return // a link, say: nothing that we made
	}
	_ = root.Chtimes(name, now, now)
}
