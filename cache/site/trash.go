package site

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/fsys"
)

// MoveAside moves an entry to .damaged, under the name <key>-<16 hex digits of the time>, so that the names alone tell which is
// the newest. Where that cannot be done the entry becomes trash, whose name is returned; where it cannot be moved at all, as
// out of the lower layer of an overlay, it is taken apart in its place. kept: it lies in .damaged, or somebody else was faster.
// On an error it is still there.
func (s *Site) MoveAside(root fsys.FS, k entry.Key, reason string) (kept bool, trash string, err error) {
	dir := EntryOf(k)
	now := uint64(s.Now().UnixNano())
	err = fs.ErrExist
	for try := uint64(0); try < 4 && (errors.Is(err, fs.ErrExist) || fsys.Absent(err)); try++ {
		to := "/" + DamagedName + "/" + k.Hex() + "-" + hex16(now+try)
		if err = root.Rename(dir, to); err == nil {
			_ = WriteNew(root, to+"/"+reasonName, []byte(reason+"\n"), FilePerm)
			return true, "", nil
		}
		if fsys.Absent(err) {
			if _, lookErr := root.Lstat(dir); fsys.Absent(lookErr) {
				return true, "", nil // somebody else was faster
			}
			if mkErr := root.Mkdir("/"+DamagedName, DirPerm); mkErr != nil && !errors.Is(mkErr, fs.ErrExist) {
				break
			}
		}
	}
	trash, err = s.MoveToTrash(root, dir)
	return false, trash, err
}

// TrimDamaged keeps the newest few.
func (s *Site) TrimDamaged(root fsys.FS) {
	list, err := root.List("/" + DamagedName)
	list = slices.DeleteFunc(list, func(e fsys.Entry) bool { return !IsDamagedName(e.Name) })
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
		_ = RemoveOwn(root, "/"+DamagedName+"/"+e.Name, nil)
	}
}

// timeOf is the part of a name in .damaged that sorts by time.
func timeOf(name string) string { return name[strings.LastIndexByte(name, '-')+1:] }

// Evict makes an entry invisible in one step and then deletes it, so that a reader sees all of it or nothing. A restore that
// has it open goes on, or turns into a miss.
func (s *Site) Evict(root fsys.FS, dir string) error {
	trash, err := s.MoveToTrash(root, dir)
	if trash == "" {
		return err
	}
	return RemoveOwn(root, trash, nil)
}

// MoveToTrash makes an entry invisible and returns what is to be removed; "" when nothing is. One that cannot be moved, or
// holds what haz did not make, is taken apart in its place, the manifest first.
func (s *Site) MoveToTrash(root fsys.FS, dir string) (trash string, err error) {
	if ForeignIn(root, dir) == nil {
		trash = "/" + TrashPrefix + s.Suffix()
		err := root.Rename(dir, trash)
		switch {
		case err == nil:
			return trash, nil
		case fsys.Absent(err):
			return "", nil
		case !errors.Is(err, syscall.EXDEV):
			return "", err
		}
	}
	s.stir(root, dir)
	return "", RemoveOwn(root, dir, nil)
}

// stir makes the folder of entries that dir lies in look otherwise: dir may stay, and be no entry any more, and who has seen the folder believes in what
// lies in it for as long as that looks the same (package settle).
func (s *Site) stir(root fsys.FS, dir string) {
	shard, key, _ := strings.Cut(strings.TrimPrefix(dir, "/"), "/")
	if !IsShard(shard) || !IsKey(key) {
		return
	}
	name := "/" + shard + "/" + TmpPrefix + key + "-" + s.Suffix()
	if root.Mkdir(name, DirPerm) == nil {
		_ = root.Remove(name)
	}
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
