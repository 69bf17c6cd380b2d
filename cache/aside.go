package cache

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/haz-build/haz/fsys"
)

// SetAside moves a damaged entry to .damaged, where people can look at it, and writes the reason beside it (S-31). It is
// removed if that fails, and ignored if that fails too. Nothing happens with ReadOnly.
func (s *Store) SetAside(k Key, reason string) {
	if s.o.ReadOnly {
		return
	}
	if root, err := s.open(); err == nil {
		s.setAside(root, k, reason)
	}
}

func (s *Store) setAside(root fsys.FS, k Key, reason string) {
	if trash := s.moveAside(root, k, reason); trash != "" {
		_ = root.RemoveAll(trash)
		return
	}
	s.trimDamaged(root)
}

// moveAside moves an entry to .damaged, under the name <key>-<16 hex digits of the time>, so that the names alone tell which is
// the newest. Where that cannot be done the entry becomes trash, whose name is returned.
func (s *Store) moveAside(root fsys.FS, k Key, reason string) (trash string) {
	entry := entryOf(k)
	now := uint64(s.o.Now().UnixNano())
	err := fs.ErrExist
	for try := uint64(0); try < 4 && (errors.Is(err, fs.ErrExist) || isAbsent(err)); try++ {
		to := "/" + damagedName + "/" + k.Hex() + "-" + hex16(now+try)
		if err = root.Rename(entry, to); err == nil {
			_ = writeNew(root, to+"/"+reasonName, []byte(reason+"\n"), filePerm)
			return ""
		}
		if isAbsent(err) {
			if _, lookErr := root.Lstat(entry); isAbsent(lookErr) {
				return "" // somebody else was faster
			}
			if mkErr := root.Mkdir("/"+damagedName, dirPerm); mkErr != nil && !errors.Is(mkErr, fs.ErrExist) {
				break
			}
		}
	}
	trash, _ = s.moveToTrash(root, entry)
	return trash
}

// trimDamaged keeps the newest few.
func (s *Store) trimDamaged(root fsys.FS) {
	list, err := root.List("/" + damagedName)
	if err != nil || len(list) <= maxDamaged {
		return
	}
	slices.SortFunc(list, func(a, b fsys.Entry) int {
		if c := strings.Compare(timeOf(b.Name), timeOf(a.Name)); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	for _, e := range list[maxDamaged:] {
		_ = root.RemoveAll("/" + damagedName + "/" + e.Name)
	}
}

// timeOf is the part of a name in .damaged that sorts by time.
func timeOf(name string) string { return name[strings.LastIndexByte(name, '-')+1:] }

// evict makes an entry invisible in one step and then deletes it, so that a reader sees all of it or nothing. A restore that
// has it open goes on, or turns into a miss.
func (s *Store) evict(root fsys.FS, entry string) error {
	trash, err := s.moveToTrash(root, entry)
	if trash == "" {
		return err
	}
	if err := root.RemoveAll(trash); err != nil && !isAbsent(err) {
		return err
	}
	return nil
}

// moveToTrash makes an entry invisible and returns what is to be removed; "" when there is none, or it cannot be moved.
func (s *Store) moveToTrash(root fsys.FS, entry string) (trash string, err error) {
	trash = "/" + trashPrefix + s.suffix()
	if err := root.Rename(entry, trash); err != nil {
		if isAbsent(err) {
			return "", nil
		}
		return "", err
	}
	return trash, nil
}

func hex16(n uint64) string {
	const digits = "0123456789abcdef"
	var b [16]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = digits[n&15]
		n >>= 4
	}
	return string(b[:])
}
