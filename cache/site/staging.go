package site

import (
	"errors"
	"io/fs"
	"sync"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// Stagings makes staging directories, and keeps those that may serve again until DropKept.
type Stagings struct {
	s *Site

	mu      sync.Mutex
	idle    []*Staging // of restores, empty
	owners  []*Staging // see own
	storing bool       // there was a store
}

// Begin makes a directory of its own inside dir, named prefix and 16 random digits, with a lock file that is held
// while its owner lives (S-35). again is called when dir itself is missing, to make it.
//
// The sweep of another haz may take the new directory for a leftover in the instant before the lock is held: then another
// name is tried. Where locks do not work the directory is used without one.
func (g *Stagings) Begin(root fsys.FS, dir, prefix string, again func() error) (*Staging, error) {
	var err error
	for range 4 {
		name := Join(dir, prefix+g.s.Suffix())
		if err = root.Mkdir(name, DirPerm); err != nil {
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
		st := &Staging{Root: root, Name: name}
		if st.Dir, err = root.Sub(name); err == nil {
			if g.shareLock(st) {
				return st, nil
			}
			st.lock, err = fsys.TryLock(st.Dir, "/"+LockName, fsys.Exclusive)
			if err == nil || errors.Is(err, fsys.ErrLockUnsupported) {
				return st, nil
			}
		}
		swept := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fsys.ErrLocked)
		st.Remove()
		if !swept {
			return nil, err
		}
	}
	return nil, err
}

// Staging is a directory in preparation.
type Staging struct {
	Root fsys.FS   // where it lies
	Name string    // in root
	Dir  fsys.FS   // its own handle: what is in it is one step away, also after a rename
	lock fsys.Lock // nil where the file system cannot lock, or the lock of the owner counts here too
}

// Own makes a staging in the cache of which only the lock is used: those of later stores are other names of its file. So a
// store makes and removes one inode less, which is a good part of what storing a small result costs. Where that does not work
// each staging has a lock file of its own.
func (g *Stagings) Own(root fsys.FS, k entry.Key) {
	g.mu.Lock()
	first := !g.storing
	g.storing = true
	g.mu.Unlock()
	if first || g.ownerIn(root) != nil { // a run that stores one result does without
		return
	}
	st, err := g.Begin(root, ShardOf(k), TmpPrefix+k.Hex()+"-", nil)
	if err != nil {
		return
	}
	g.mu.Lock()
	taken := st.lock != nil && g.ownerLocked(root) == nil
	if taken {
		g.owners = append(g.owners, st)
	}
	g.mu.Unlock()
	if !taken { // another worker was faster, or locks do not work
		st.Remove()
	}
}

func (g *Stagings) ownerIn(root fsys.FS) *Staging {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ownerLocked(root)
}

// ownerLocked is the owner in root, or nil. Those in roots that somebody has cleared meanwhile stay until DropKept.
func (g *Stagings) ownerLocked(root fsys.FS) *Staging {
	if n := len(g.owners); n > 0 && g.owners[n-1].Root == root {
		return g.owners[n-1]
	}
	return nil
}

// shareLock gives a staging in the cache the lock of the owner.
func (g *Stagings) shareLock(st *Staging) bool {
	owner := g.ownerIn(st.Root)
	return owner != nil && st.Root.Link(owner.Name+"/"+LockName, st.Name+"/"+LockName) == nil
}

// DropKept removes what is kept for stores and restores to come. None is under way.
func (g *Stagings) DropKept() {
	g.mu.Lock()
	kept := append(g.idle, g.owners...)
	g.idle, g.owners, g.storing = nil, nil, false
	g.mu.Unlock()
	for _, st := range kept {
		st.removeEmpty()
	}
}

// Close gives the lock and the handle back.
func (st *Staging) Close() {
	if st.lock != nil {
		_ = st.lock.Unlock()
		st.lock = nil
	}
	if st.Dir != nil {
		_ = st.Dir.Close()
		st.Dir = nil
	}
}

// Remove takes the directory away with all that is in it, then gives the lock back.
func (st *Staging) Remove() {
	defer st.Close()
	_ = st.Root.RemoveAll(st.Name)
}

// removeEmpty is remove for a directory that holds nothing but its lock: without looking, which may fail.
func (st *Staging) removeEmpty() {
	if st.Dir.Remove("/"+LockName) == nil && st.Root.Remove(st.Name) == nil {
		st.Close()
		return
	}
	st.Remove()
}

// maxIdle bounds the empty stagings that are kept for restores to come.
const maxIdle = 16

// Restore takes an empty staging that an earlier restore has left, or makes one, and says on which device it is. A
// staging costs more calls than the blob of a small output, so that Finish is early enough to remove it; if nobody calls that,
// or haz is killed, the sweep does, once the lock is free (S-35).
func (g *Stagings) Restore(k entry.Key) (st *Staging, dev uint64, err error) {
	for {
		g.mu.Lock()
		st = nil
		if n := len(g.idle); n > 0 {
			st, g.idle = g.idle[n-1], g.idle[:n-1]
		}
		g.mu.Unlock()
		kept := st != nil
		if !kept {
			if st, err = g.Begin(g.s.WS, layout.StateDir, restorePrefix+k.Hex()+"-", g.s.EnsureState); err != nil {
				return nil, 0, err
			}
		}
		info, err := g.look(st)
		switch {
		case err == nil && info.Kind == fsys.Dir:
			return st, info.Dev, nil
		case kept: // somebody has removed .haz/state meanwhile
			st.Remove()
		default:
			st.Remove()
			if err == nil {
				err = fs.ErrNotExist
			}
			return nil, 0, err
		}
	}
}

// look gives the staging up when it panics: nobody else knows of it yet.
func (g *Stagings) look(st *Staging) (info fsys.Info, err error) {
	looked := false
	defer func() {
		if !looked {
			st.Remove()
		}
	}()
	info, err = g.s.WS.Lstat(st.Name)
	looked = true
	return info, err
}

// Keep takes an empty staging back.
func (g *Stagings) Keep(st *Staging) {
	g.mu.Lock()
	keep := len(g.idle) < maxIdle
	if keep {
		g.idle = append(g.idle, st)
	}
	g.mu.Unlock()
	if !keep {
		st.Remove()
	}
}
