package state

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys"
)

// What projects reach in a lock file is a text for each state of that (package packages makes and reads them): reading a lock file takes long. A few
// are kept, so that what was reached before can be told.

const (
	packagesPrefix = "packages-"
	maxPackages    = 16 << 20 // bytes of a text
	keepPackages   = 16       // texts
)

func packagesName(of digest.Digest) string { return packagesPrefix + hex.EncodeToString(of[:16]) }

// Packages is the text of what was found in lock files with all that this hangs on, of which the digest is given.
func (s *State) Packages(of digest.Digest) ([]byte, bool) {
	return s.readPackages(packagesName(of))
}

func (s *State) readPackages(name string) ([]byte, bool) {
	data, _, err := s.home.read(name, maxPackages)
	if err != nil {
		s.note(couldNotRead, name, err)
		return nil, false
	}
	return data, true
}

// EachPackages visits all texts, the newest first, until visit returns true.
func (s *State) EachPackages(visit func(text []byte) bool) {
	d, err := s.home.open()
	if err != nil {
		return
	}
	for _, name := range packagesFiles(d) {
		if data, ok := s.readPackages(name); ok && visit(data) {
			return
		}
	}
}

// packagesFiles are the names of all texts, the newest first.
func packagesFiles(d fsys.FS) []string {
	entries, err := d.List("/")
	if err != nil {
		return nil
	}
	type file struct {
		name  string
		mtime int64
	}
	var files []file
	for _, e := range entries {
		if strings.HasPrefix(e.Name, packagesPrefix) {
			if info, err := d.Lstat("/" + e.Name); err == nil {
				files = append(files, file{e.Name, info.MTime})
			}
		}
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Or(cmp.Compare(b.mtime, a.mtime), cmp.Compare(a.name, b.name)) })
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.name
	}
	return names
}

// WritePackages keeps a text, and takes away the oldest of too many. One that is too long is not kept.
func (s *State) WritePackages(of digest.Digest, text []byte) {
	if s.home.readOnly || len(text) > maxPackages {
		return
	}
	name := packagesName(of)
	if err := s.home.write(name, text); err != nil {
		s.note(couldNotWrite, name, err)
		return
	}
	_ = s.home.inDir(func(d fsys.FS) error {
		for i, old := range packagesFiles(d) {
			if i >= keepPackages && old != name {
				_ = d.Remove("/" + old)
			}
		}
		return nil
	})
}

// Start is the digest of what tells this start of the system from others. What is believed without being looked at anew has it, so that
// nothing is believed that came with a workspace.
func (s *State) Start() digest.Digest { return s.boot }
