package cache

import (
	"errors"
	"io/fs"
	"sync"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// stagings makes staging directories, and keeps those that may serve again until dropKept.
type stagings struct {
	s *site

	mu      sync.Mutex
	idle    []*staging // of restores, empty
	owners  []*staging // see own
	storing bool       // there was a store
}

// begin makes a directory of its own inside dir, named prefix and 16 random digits, with a lock file that is held
// while its owner lives (S-35). again is called when dir itself is missing, to make it.
//
// The sweep of another haz may take the new directory for a leftover in the instant before the lock is held: then another
// name is tried. Where locks do not work the directory is used without one.
func (g *stagings) begin(root fsys.FS, dir, prefix string, again func() error) (*staging, error) {
	var err error
	for range 4 {
		name := join(dir, prefix+g.s.suffix())
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
			if g.shareLock(st) {
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
func (g *stagings) own(root fsys.FS, k entry.Key) {
	g.mu.Lock()
	first := !g.storing
	g.storing = true
	g.mu.Unlock()
	if first || g.ownerIn(root) != nil { // a run that stores one result does without
		return
	}
	st, err := g.begin(root, shardOf(k), tmpPrefix+k.Hex()+"-", nil)
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
		st.remove()
	}
}

func (g *stagings) ownerIn(root fsys.FS) *staging {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ownerLocked(root)
}

// ownerLocked is the owner in root, or nil. Those in roots that somebody has cleared meanwhile stay until dropKept.
func (g *stagings) ownerLocked(root fsys.FS) *staging {
	if n := len(g.owners); n > 0 && g.owners[n-1].root == root {
		return g.owners[n-1]
	}
	return nil
}

// shareLock gives a staging in the cache the lock of the owner.
func (g *stagings) shareLock(st *staging) bool {
	owner := g.ownerIn(st.root)
	return owner != nil && st.root.Link(owner.name+"/"+lockName, st.name+"/"+lockName) == nil
}

// dropKept removes what is kept for stores and restores to come. None is under way.
func (g *stagings) dropKept() {
	g.mu.Lock()
	kept := append(g.idle, g.owners...)
	g.idle, g.owners, g.storing = nil, nil, false
	g.mu.Unlock()
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

// maxIdle bounds the empty stagings that are kept for restores to come.
const maxIdle = 16

// restore takes an empty staging that an earlier restore has left, or makes one, and says on which device it is. A
// staging costs more calls than the blob of a small output, so that Finish is early enough to remove it; if nobody calls that,
// or haz is killed, the sweep does, once the lock is free (S-35).
func (g *stagings) restore(k entry.Key) (st *staging, dev uint64, err error) {
	for {
		g.mu.Lock()
		st = nil
		if n := len(g.idle); n > 0 {
			st, g.idle = g.idle[n-1], g.idle[:n-1]
		}
		g.mu.Unlock()
		kept := st != nil
		if !kept {
			if st, err = g.begin(g.s.ws, layout.StateDir, restorePrefix+k.Hex()+"-", g.s.ensureState); err != nil {
				return nil, 0, err
			}
		}
		info, err := g.look(st)
		switch {
		case err == nil && info.Kind == fsys.Dir:
			return st, info.Dev, nil
		case kept: // somebody has removed .haz/state meanwhile
			st.remove()
		default:
			st.remove()
			if err == nil {
				err = fs.ErrNotExist
			}
			return nil, 0, err
		}
	}
}

// look gives the staging up when it panics: nobody else knows of it yet.
func (g *stagings) look(st *staging) (info fsys.Info, err error) {
	looked := false
	defer func() {
		if !looked {
			st.remove()
		}
	}()
	info, err = g.s.ws.Lstat(st.name)
	looked = true
	return info, err
}

// keep takes an empty staging back.
func (g *stagings) keep(st *staging) {
	g.mu.Lock()
	keep := len(g.idle) < maxIdle
	if keep {
		g.idle = append(g.idle, st)
	}
	g.mu.Unlock()
	if !keep {
		st.remove()
	}
}
