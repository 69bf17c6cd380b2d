package cache

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// What the rest of the package needs from a file system beyond fsys.FS.

// join puts a name below a directory.
func join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}

// isForeignKind reports whether err says that something else than a regular file lies at a name.
func isForeignKind(err error) bool {
	return errors.Is(err, fsys.ErrNotRegular) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ELOOP)
}

// writeNew makes a file that must not exist yet. A half-written one is removed.
func writeNew(fsy fsys.FS, name string, data []byte, perm fs.FileMode) error {
	f, err := fsy.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	if len(data) > 0 {
		_, err = f.Write(data)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = fsy.Remove(name)
	}
	return err
}

// ensureState makes sure that .haz/state is there.
func (s *Store) ensureState() error { return state.MakeDir(s.ws, layout.StateDir) }

// beginStaging makes a directory of its own inside dir, named prefix and 16 random digits, with a lock file that is held
// while its owner lives (S-35). again is called when dir itself is missing, to make it.
//
// The sweep of another haz may take the new directory for a leftover in the instant before the lock is held: then another
// name is tried. Where locks do not work the directory is used without one.
func (s *Store) beginStaging(root fsys.FS, dir, prefix string, again func() error) (*staging, error) {
	var err error
	for range 4 {
		name := join(dir, prefix+s.suffix())
		if err = root.Mkdir(name, dirPerm); err != nil {
			switch {
			case errors.Is(err, fs.ErrNotExist) && again != nil:
				if err = again(); err != nil {
					return nil, err
				}
				again = nil
			case !errors.Is(err, fs.ErrExist):
				return nil, err
			}
			continue
		}
		st := &staging{root: root, name: name}
		if st.dir, err = root.Sub(name); err == nil {
			if s.shareLock(st) {
				return st, nil
			}
			st.lock, err = st.dir.TryLock("/"+lockName, fsys.Exclusive)
			if err == nil || errors.Is(err, fsys.ErrLockUnsupported) {
				return st, nil
			}
		}
		swept := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fsys.ErrLocked)
		st.remove()
		if !swept {
			return nil, err
		}
	}
	return nil, err
}

// staging is a directory in preparation.
type staging struct {
	root fsys.FS   // where it lies
	name string    // in root
	dir  fsys.FS   // its own handle: what is in it is one step away, also after a rename
	lock fsys.Lock // nil where the file system cannot lock, or the lock of the owner counts here too
}

// own makes a staging in the cache of which only the lock is used: those of later stores are other names of its file. So a
// store makes and removes one inode less, which is a good part of what storing a small result costs. Where that does not work
// each staging has a lock file of its own.
func (s *Store) own(root fsys.FS, k entry.Key) {
	s.mu.Lock()
	first := !s.storing
	s.storing = true
	s.mu.Unlock()
	if first || s.ownerIn(root) != nil { // a run that stores one result does without
		return
	}
	st, err := s.beginStaging(root, shardOf(k), tmpPrefix+k.Hex()+"-", nil)
	if err != nil {
		return
	}
	s.mu.Lock()
	taken := st.lock != nil && s.ownerLocked(root) == nil
	if taken {
		s.owners = append(s.owners, st)
	}
	s.mu.Unlock()
	if !taken { // another worker was faster, or locks do not work
		st.remove()
	}
}

func (s *Store) ownerIn(root fsys.FS) *staging {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ownerLocked(root)
}

// ownerLocked is the owner in root, or nil. Those in roots that somebody has cleared meanwhile stay until dropKept.
func (s *Store) ownerLocked(root fsys.FS) *staging {
	if n := len(s.owners); n > 0 && s.owners[n-1].root == root {
		return s.owners[n-1]
	}
	return nil
}

// shareLock gives a staging in the cache the lock of the owner.
func (s *Store) shareLock(st *staging) bool {
	owner := s.ownerIn(st.root)
	return owner != nil && st.root.Link(owner.name+"/"+lockName, st.name+"/"+lockName) == nil
}

// dropKept removes what is kept for stores and restores to come. None is under way.
func (s *Store) dropKept() {
	s.mu.Lock()
	kept := append(s.idle, s.owners...)
	s.idle, s.owners, s.storing = nil, nil, false
	s.mu.Unlock()
	for _, st := range kept {
		st.removeEmpty()
	}
}

// close gives the lock and the handle back.
func (st *staging) close() {
	if st.lock != nil {
		_ = st.lock.Unlock()
		st.lock = nil
	}
	if st.dir != nil {
		_ = st.dir.Close()
		st.dir = nil
	}
}

// remove takes the directory away with all that is in it, then gives the lock back.
func (st *staging) remove() {
	defer st.close()
	_ = st.root.RemoveAll(st.name)
}

// removeEmpty is remove for a directory that holds nothing but its lock: without looking, which may fail.
func (st *staging) removeEmpty() {
	if st.dir.Remove("/"+lockName) == nil && st.root.Remove(st.name) == nil {
		st.close()
		return
	}
	st.remove()
}
